// Storages in memory that a test can look into, and hold up.

export class Memory {
  records = new Map();
  commits = 0;
  loads = 0;
  closed = 0;

  load() {
    this.loads += 1;
    return [...this.records].map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value }));
  }

  commit(changes) {
    this.commits += 1;
    for (const { key, value } of changes) {
      const name = Buffer.from(key).toString('hex');
      if (value) this.records.set(name, value);
      else this.records.delete(name);
    }
  }

  close() {
    this.closed += 1;
  }
}

/** One whose commits take until `finish` is called. */
export class Slow extends Memory {
  pending = [];

  commit(changes) {
    return new Promise((resolve, reject) => {
      this.pending.push({ resolve: () => resolve(super.commit(changes)), reject });
    });
  }

  finish(error) {
    const { resolve, reject } = this.pending.shift();
    if (error) reject(error);
    else resolve();
  }
}

/** One that keeps its word: what is larger than a value may be is not stored. */
export class Limited extends Memory {
  largest = 0;
  constructor(maximumValueBytes) {
    super();
    this.maximumValueBytes = maximumValueBytes;
  }
  commit(changes) {
    for (const { value } of changes) this.largest = Math.max(this.largest, value?.length ?? 0);
    if (this.largest > this.maximumValueBytes) throw new Error(`A value has ${this.largest} bytes.`);
    super.commit(changes);
  }
}
