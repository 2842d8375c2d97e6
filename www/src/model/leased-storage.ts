// A storage for the life of one broker: it counts what is kept, and nothing is written by a broker that was killed. Knows nothing of
// what the records say.

import type { RecordStorage, StorageChange, StoredRecord } from 'mqlite/broker';

/** What one broker has of a storage. */
export class LeasedStorage implements RecordStorage {
  readonly #storage: RecordStorage;
  readonly #sizes = new Map<string, number>();
  #bytes = 0;
  #commits = 0;
  #isOver = false;
  readonly maximumValueBytes?: number;

  constructor(storage: RecordStorage) {
    this.#storage = storage;
    if (storage.maximumValueBytes !== undefined) this.maximumValueBytes = storage.maximumValueBytes;
  }

  /** Records that are kept. */
  get length(): number {
    return this.#sizes.size;
  }

  /** Bytes of their keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How often something was made durable. */
  get commits(): number {
    return this.#commits;
  }

  async load(): Promise<StoredRecord[]> {
    const records = [...(await this.#storage.load())];
    this.#sizes.clear();
    this.#bytes = 0;
    for (const { key, value } of records) this.#count(key, value);
    return records;
  }

  /** Returns no promise where the storage returns none, so that nobody waits for what is done. */
  commit(changes: readonly StorageChange[]): void | Promise<void> {
    if (this.#isOver) return new Promise(() => {}); // who asks is dead
    const done = this.#storage.commit(changes);
    if (done) return done.then(() => this.#committed(changes));
    this.#committed(changes);
  }

  close(): void | Promise<void> {
    if (!this.#isOver) return this.#storage.close?.();
  }

  /** The broker was killed: the storage is free when this resolves, with what was durable until now. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    await this.#storage.close?.();
  }

  #committed(changes: readonly StorageChange[]): void {
    this.#commits += 1;
    for (const { key, value } of changes) this.#count(key, value);
  }

  #count(key: Uint8Array, value: Uint8Array | undefined): void {
    const name = nameOf(key);
    this.#bytes -= this.#sizes.get(name) ?? 0;
    if (!value) return void this.#sizes.delete(name);
    this.#sizes.set(name, key.length + value.length);
    this.#bytes += key.length + value.length;
  }
}

/** Another text for each key. */
export function nameOf(key: Uint8Array): string {
  return latin.decode(key);
}

/** Puts these records in place of all that a storage has, at once. */
export async function replaceRecords(storage: RecordStorage, records: readonly StoredRecord[]): Promise<void> {
  const gone = [...(await storage.load())].map(({ key }) => ({ key, value: undefined }));
  await storage.commit([...gone, ...records]);
}

const latin = new TextDecoder('latin1');
