// What a test broker leaves to the next one.

import type { RecordStorage, StorageChange, StoredRecord } from '../storage.js';

/** Records that survive the brokers that write them, one after the other. */
export class Memory {
  readonly #records = new Map<string, StoredRecord>();
  #last: object | undefined;

  /** For the next broker; what an earlier one still writes is not kept. */
  storage(): RecordStorage {
    const storage: RecordStorage = {
      load: () => [...this.#records.values()],
      commit: (changes) => {
        if (this.#last === storage) for (const change of changes) this.#write(change);
      },
    };
    this.#last = storage;
    return storage;
  }

  /** Nobody writes any more, until there is another broker. */
  detach(): void {
    this.#last = undefined;
  }

  clear(): void {
    this.#records.clear();
  }

  #write({ key, value }: StorageChange): void {
    const name = key.join();
    if (value) this.#records.set(name, { key, value });
    else this.#records.delete(name);
  }
}
