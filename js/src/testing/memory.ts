// What a test broker leaves to the next one.

import type { RecordStorage, StorageChange, StoredRecord } from '../storage.js';

/** Records that survive the brokers that write them, one after the other. */
export class Memory implements RecordStorage {
  readonly #records = new Map<string, StoredRecord>();

  load(): StoredRecord[] {
    return [...this.#records.values()];
  }

  commit(changes: readonly StorageChange[]): void {
    for (const { key, value } of changes) {
      const name = key.join();
      if (value) this.#records.set(name, { key, value });
      else this.#records.delete(name);
    }
  }

  clear(): void {
    this.#records.clear();
  }
}
