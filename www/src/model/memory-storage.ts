// A storage in the memory of this page: what a broker leaves to the next one. Knows nothing of what the records say.

import type { RecordStorage, StorageChange, StoredRecord } from 'mqlite/broker';

/** Records that survive the brokers that write them, until the page goes. */
export class MemoryStorage implements RecordStorage {
  readonly #records = new Map<string, StoredRecord>();
  #bytes = 0;

  /** Records that are kept. */
  get length(): number {
    return this.#records.size;
  }

  /** Bytes of their keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  load(): StoredRecord[] {
    return [...this.#records.values()];
  }

  commit(changes: readonly StorageChange[]): void {
    for (const { key, value } of changes) {
      const name = key.join();
      const before = this.#records.get(name);
      if (before) this.#bytes -= before.key.length + before.value.length;
      if (value) {
        this.#records.set(name, { key, value });
        this.#bytes += key.length + value.length;
      } else this.#records.delete(name);
    }
  }
}
