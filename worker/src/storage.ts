// A room's records in the object's SQLite database. Knows no MQTT, and nothing of what the records say.

import type { RecordStorage, StorageChange, StoredRecord } from 'mqlite/broker';
import type { Log } from './log.js';

/**
 * The storage of one room. Nothing is awaited: what is sent after a commit is held by the runtime's output gate until that is
 * durable, and all commits of one event become durable as one.
 */
export class SqliteStorage implements RecordStorage {
  readonly maximumValueBytes = MAXIMUM_ROW_BYTES - MAXIMUM_KEY_BYTES;
  readonly #state: DurableObjectState;
  readonly #log: Log;
  /** What is to be written when a task is over, by its key. */
  #gathered: Map<string, StorageChange> | undefined;

  constructor(state: DurableObjectState, log: Log) {
    this.#state = state;
    this.#log = log;
  }

  /** Does `task`; what it commits is written when it is over, of each record only the last change. What it sends has to wait for that. */
  together(task: () => void): void {
    this.#gathered = new Map();
    try {
      task();
    } finally {
      const changes = [...this.#gathered.values()];
      this.#gathered = undefined;
      if (changes.length > 0) this.#store(changes);
    }
  }

  load(): Iterable<StoredRecord> {
    const { sql } = this.#state.storage;
    // A table with row numbers has an index beside it: each change would write, and cost, two rows.
    sql.exec('CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID');
    return records(sql.exec('SELECT key, value FROM records').raw<[ArrayBuffer, ArrayBuffer]>());
  }

  commit(changes: readonly StorageChange[]): void {
    if (this.#gathered) for (const change of changes) this.#gathered.set(TEXT.decode(change.key), change);
    else if (changes.length === 1) this.#store(changes);
    else this.together(() => this.commit(changes));
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
    this.#writeRows(INSERTS, changes.flatMap(({ key, value }) => (value ? [[key, value]] : [])));
    this.#writeRows(DELETES, changes.flatMap(({ key, value }) => (value ? [] : [[key]])));
  }

  #writeRows(statements: readonly Statement[], rows: Uint8Array[][]): void {
    let begin = 0;
    for (const { rows: count, text } of statements) {
      for (; begin + count <= rows.length; begin += count) this.#state.storage.sql.exec(text, ...rows.slice(begin, begin + count).flat());
    }
  }
}

function* records(rows: Iterable<[ArrayBuffer, ArrayBuffer]>): Generator<StoredRecord> {
  for (const [key, value] of rows) yield { key: new Uint8Array(key), value: new Uint8Array(value) };
}

interface Statement {
  /** How many it writes. */
  readonly rows: number;
  readonly text: string;
}

/** A statement costs more than a row in it. The platform lets one have a hundred values. */
const statements = (text: (count: number) => string): Statement[] => [32, 4, 1].map((rows) => ({ rows, text: text(rows) }));

const INSERTS = statements((rows) => `INSERT OR REPLACE INTO records VALUES ${Array(rows).fill('(?, ?)').join()}`);

const DELETES = statements((rows) => `DELETE FROM records WHERE key IN (${Array(rows).fill('?').join()})`);

/** Of any bytes, and of no others the same. */
const TEXT = new TextDecoder('latin1');

/** "2 MB", says the platform of a row. */
const MAXIMUM_ROW_BYTES = 2_000_000;
/** The longest key of a `StoredRecord`. */
const MAXIMUM_KEY_BYTES = 65_544;
