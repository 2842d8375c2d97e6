// A storage in the memory of this page: what a broker leaves to the next one. Knows nothing of what the records say.

import type { RecordStorage, StorageChange, StoredRecord } from 'mqlite/broker';
import { nameOf } from './leased-storage.ts';

/** Records that survive the brokers that write them, until the page goes. */
export class MemoryStorage implements RecordStorage {
  readonly #records = new Map<string, StoredRecord>();

  load(): StoredRecord[] {
    return [...this.#records.values()];
  }

  commit(changes: readonly StorageChange[]): void {
    for (const { key, value } of changes) {
      if (value) this.#records.set(nameOf(key), { key, value });
      else this.#records.delete(nameOf(key));
    }
  }
}
