// Where a broker keeps what outlives it, as one interface. Knows no database, and nothing of what the records say.

/** A record: bytes under a key, both the broker's own. */
export interface StoredRecord {
  /** At most 65,544 bytes, never none. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A record that is put in place of what was there, or removed. */
export interface StorageChange {
  readonly key: Uint8Array;
  /** Absent when the record is removed. */
  readonly value: Uint8Array | undefined;
}

/**
 * A broker's storage, for one broker at a time. What fails in it should be an `MqttError` whose code begins with `storage-`; anything else becomes
 * `storage-failed`.
 */
export interface RecordStorage {
  /** Every record, in any order. Called when a broker opens, when its engine failed, and when it imports. */
  load(): Iterable<StoredRecord> | Promise<Iterable<StoredRecord>>;
  /**
   * Makes all changes durable, in their order and as one: all or none. Nothing that depends on them is sent before this
   * returns or, if it returns a promise, before that resolves. Not called again until then.
   *
   * Changes that `mayWait` are for connections that outlive the broker alone, as those of a Durable Object that sleeps: a storage may
   * put them off until then, if they are in it when it is asked to `load`, and in order with what is committed later.
   */
  commit(changes: readonly StorageChange[], mayWait?: boolean): void | Promise<void>;
  /** The broker is closed, or gives the storage up. */
  close?(): void | Promise<void>;
  /** The most bytes of a value, where there is a limit, of 262,144 at least: the broker then accepts no packet that would not fit. */
  readonly maximumValueBytes?: number;
}
