// A room's records in the object's SQLite database. Knows no MQTT, and nothing of what the records say.

import type { RecordStorage, StorageChange, StoredRecord } from 'mqlite/broker';
import type { Log } from './log.js';

/**
 * The storage of one room. Nothing is awaited: what is sent after a commit is held by the runtime's output gate until that is
 * durable, and all commits of one event become durable as one. What may wait is written within a moment, and mostly is no more by
 * then: an object does not sleep while a timer is set, and when it ends in another way so do its connections.
 */
export class SqliteStorage implements RecordStorage {
  readonly maximumValueBytes = MAXIMUM_ROW_BYTES - MAXIMUM_KEY_BYTES;
  readonly #state: DurableObjectState;
  readonly #log: Log;
  /** What is not written yet, and whether some of it may not wait. */
  #unwritten = new LastChanges();
  #isUrgent = false;
  #isTogether = false;
  #isTimed = false;

  constructor(state: DurableObjectState, log: Log) {
    this.#state = state;
    this.#log = log;
  }

  /** Does `task`; what it commits is written when it is over, of each record only the last change. What it sends has to wait for that. */
  together(task: () => void): void {
    this.#isTogether = true;
    try {
      task();
    } finally {
      this.#isTogether = false;
      this.#settle();
    }
  }

  /** Writes what may wait. */
  flush(): void {
    const changes = this.#unwritten.takeAll();
    this.#isUrgent = false;
    if (changes.length > 0) this.#store(changes);
  }

  load(): Iterable<StoredRecord> {
    this.flush();
    const { sql } = this.#state.storage;
    // A table with row numbers has an index beside it: each change would write, and cost, two rows.
    sql.exec('CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID');
    return records(sql.exec('SELECT key, value FROM records').raw<[ArrayBuffer, ArrayBuffer]>());
  }

  commit(changes: readonly StorageChange[], mayWait = false): void {
    for (const change of changes) this.#unwritten.add(change);
    this.#isUrgent ||= !mayWait;
    if (!this.#isTogether) this.#settle();
  }

  #settle(): void {
    if (this.#isUrgent || this.#unwritten.bytes > MOST_UNWRITTEN) this.flush();
    else if (this.#unwritten.bytes > 0) this.#flushLater();
  }

  #flushLater(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    setTimeout(() => {
      this.#isTimed = false;
      this.flush();
    }, MOMENT);
  }

  /** Writes changes, each of another record. */
  #store(changes: readonly StorageChange[]): void {
    const { storage } = this.#state;
    try {
      // One statement is a transaction of its own, and costs half as much.
      if (changes.length === 1) this.#write(changes);
      else storage.transactionSync(() => this.#write(changes));
    } catch (error) {
      // Every connection ends with the object: nobody takes for stored what is not. The next event begins anew from the storage.
      const sentence = `The storage of this room failed, so its broker starts again: ${error}`;
      this.#log.error('storageFailed', { message: sentence });
      this.#state.abort(sentence);
    }
  }

  #write(changes: readonly StorageChange[]): void {
    const puts: Uint8Array[] = [];
    const deletes: Uint8Array[] = [];
    for (const { key, value } of changes) {
      if (value) puts.push(key, value);
      else deletes.push(key);
    }
    this.#execute(INSERTS, puts);
    this.#execute(DELETES, deletes);
  }

  #execute(statements: readonly Statement[], values: Uint8Array[]): void {
    const { sql } = this.#state.storage;
    let begin = 0;
    for (const { text, count } of statements) {
      for (; begin + count <= values.length; begin += count) sql.exec(text, ...values.slice(begin, begin + count));
    }
  }
}

/** Changes, of each record the last. By numbers, since text as the key of a map costs as much as to write what it is for. */
class LastChanges {
  /** Of all that was added. */
  bytes = 0;
  readonly #byHash = new Map<number, StorageChange[]>();
  /** Beyond a few of the same hash, which somebody has chosen. */
  readonly #byText = new Map<string, StorageChange>();

  add(change: StorageChange): void {
    this.bytes += change.key.byteLength + (change.value?.byteLength ?? 0);
    const hash = hashOf(change.key);
    const known = this.#byHash.get(hash);
    if (!known) return void this.#byHash.set(hash, [change]);
    const place = known.findIndex(({ key }) => isSame(key, change.key));
    if (place >= 0) known[place] = change;
    else if (known.length < FEW) known.push(change);
    else this.#byText.set(TEXT.decode(change.key), change);
  }

  takeAll(): StorageChange[] {
    const changes = [...this.#byHash.values(), ...this.#byText.values()].flat();
    this.#byHash.clear();
    this.#byText.clear();
    this.bytes = 0;
    return changes;
  }
}

function* records(rows: Iterable<[ArrayBuffer, ArrayBuffer]>): Generator<StoredRecord> {
  for (const [key, value] of rows) yield { key: new Uint8Array(key), value: new Uint8Array(value) };
}

function hashOf(key: Uint8Array): number {
  let hash = 0;
  for (const byte of key) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, at) => byte === other[at]);
}

/** Milliseconds: most clients acknowledge sooner. */
const MOMENT = 250;

/** Bytes: of what the broker has in its memory too. */
const MOST_UNWRITTEN = 1 << 20;

/** Changes whose keys are compared one by one. */
const FEW = 4;

/** Of any bytes, and of no others the same. */
const TEXT = new TextDecoder('latin1');

interface Statement {
  readonly text: string;
  /** How many values it takes. */
  readonly count: number;
}

/** Each statement for some rows at a time: it costs more than a row in it. The platform lets one have a hundred values. */
const statements = (columns: number, text: (rows: number) => string): Statement[] =>
  [32, 4, 1].map((rows) => ({ text: text(rows), count: rows * columns }));

const INSERTS = statements(2, (rows) => `INSERT OR REPLACE INTO records VALUES ${Array(rows).fill('(?, ?)').join()}`);

const DELETES = statements(1, (rows) => `DELETE FROM records WHERE key IN (${Array(rows).fill('?').join()})`);

/** "2 MB", says the platform of a row. */
const MAXIMUM_ROW_BYTES = 2_000_000;
/** The longest key of a `StoredRecord`. */
const MAXIMUM_KEY_BYTES = 65_544;
