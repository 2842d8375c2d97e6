// Between a broker and its storage: changes go out in groups, and what depends on them waits. Knows no MQTT.

import { isThenable, MqttError, report } from './error.js';
import type { RecordStorage, StorageChange, StoredRecord } from './storage.js';

/**
 * Hands changes to a storage. While one group is on its way the next one gathers, and leaves when the first is durable. A
 * storage that answers at once holds nothing up.
 */
export class Journal {
  /** Called once, if the storage fails: what waits for it then waits for ever, unless it is told to go on. */
  onfail: ((error: MqttError) => void) | null = null;
  #storage: RecordStorage | undefined;
  /** What is written and not committed yet. */
  #written: StorageChange[] = [];
  /** What is committed and not handed to the storage yet. */
  #changes: StorageChange[] = [];
  /** Whether all of these may wait. */
  #mayWait = true;
  /** What waits for the group that is on its way, and for the one that gathers. */
  #waiting: (() => void)[] = [];
  #gathered: (() => void)[] = [];
  #isBusy = false;
  #error: MqttError | undefined;
  #givenUp: ((error: MqttError) => void)[] = [];

  constructor(storage: RecordStorage | undefined) {
    this.#storage = storage;
  }

  /**
   * Every record.
   * @throws MqttError whose code begins with `storage-`.
   */
  async load(): Promise<Iterable<StoredRecord>> {
    if (!this.#storage) return [];
    try {
      return checkedRecords(await this.#storage.load());
    } catch (error) {
      throw storageError(error);
    }
  }

  /** Whether there is a storage, and it has not failed. */
  get isStored(): boolean {
    return this.#storage !== undefined && !this.#error;
  }

  /** Whether nothing is on its way or waits. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#gathered.length === 0;
  }

  write(change: StorageChange): void {
    this.#written.push(change);
  }

  /** What was written since the last time is to become durable as one, if it `mayWait` a little later. */
  commit(mayWait = false): void {
    const written = this.#written.splice(0);
    if (written.length > 0) this.#mayWait &&= mayWait;
    if (this.#storage) for (const change of written) this.#changes.push(change);
    this.#start();
  }

  /** What was written and not committed is not to be. */
  discard(): void {
    this.#written = [];
  }

  /** Runs `task` as soon as all is durable that was committed before, and in turn: at once, if it is. */
  after(task: () => void): void {
    const group = this.#isBusy && this.#changes.length === 0 ? this.#waiting : this.#gathered;
    group.push(task);
    this.#start();
  }

  /** Resolves when all is durable that was committed before. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error) return reject(this.#error);
      this.#givenUp.push(reject);
      this.after(() => {
        this.#givenUp = this.#givenUp.filter((it) => it !== reject);
        resolve();
      });
    });
  }

  /** Goes on without a storage: what waits need not any more. */
  goOn(): void {
    this.close().catch(report);
    this.#error = undefined;
    this.#isBusy = false;
    this.#gathered.unshift(...this.#waiting.splice(0));
    this.#start();
  }

  /** Gives the storage up. */
  async close(): Promise<void> {
    const storage = this.#storage;
    this.#storage = undefined;
    await storage?.close?.();
  }

  #start(): void {
    while (!this.#isBusy && this.#changes.length + this.#gathered.length > 0) {
      this.#isBusy = true;
      this.#waiting = this.#gathered.splice(0);
      const done = this.#commit(this.#changes.splice(0));
      if (done) return void done.then(() => this.#done(), (error: unknown) => this.#fail(error));
    }
  }

  /** Nothing, if it is done already. */
  #commit(changes: StorageChange[]): Promise<void> | undefined {
    try {
      const mayWait = this.#mayWait;
      this.#mayWait = true;
      const done = changes.length > 0 && this.#storage?.commit(changes, mayWait);
      if (isThenable(done)) return Promise.resolve(done);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    this.#release();
    return undefined;
  }

  #done(): void {
    this.#release();
    this.#start();
  }

  /** What a task causes comes after the tasks that wait already. */
  #release(): void {
    for (let tasks = this.#waiting.splice(0); tasks.length > 0; tasks = this.#waiting.splice(0)) {
      for (const task of tasks) task();
    }
    this.#isBusy = false;
  }

  /** It stays busy: nothing more is stored, or sent. */
  #fail(cause: unknown): void {
    const error = storageError(cause);
    this.#error = error;
    this.onfail?.(error);
    for (const giveUp of this.#givenUp.splice(0)) giveUp(error);
  }
}

/** What a storage threw, in our words. */
function storageError(cause: unknown): MqttError {
  if (cause instanceof MqttError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MqttError('storage-failed', `The storage failed: ${why}`, { cause });
}

/** One by one, as they are taken: there may be many. */
function checkedRecords(records: unknown): Iterable<StoredRecord> {
  if (typeof (records as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function') throw NO_RECORDS();
  return (function* () {
    for (const record of records as Iterable<Partial<StoredRecord> | undefined>) {
      if (!(record?.key instanceof Uint8Array && record.value instanceof Uint8Array)) throw NO_RECORDS();
      yield record as StoredRecord;
    }
  })();
}

const NO_RECORDS = () =>
  new MqttError('storage-failed', "The storage's load must return the records, each a key and a value that are Uint8Arrays.");
