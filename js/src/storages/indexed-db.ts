// A storage in the browser's IndexedDB, for one broker or client at a time. Knows nothing of what the records say.

import { type DBSchema, type IDBPDatabase, openDB, unwrap } from 'idb';
import { alone } from '../alone.js';
import { checked, checkText, type ShapeOf } from '../check.js';
import { MqttError, sentence } from '../error.js';
import type { RecordStorage, StorageChange, StoredRecord } from '../storage.js';
import { type Lock, lock } from './lock.js';

/** How a database is opened and written. */
export interface IndexedDbOptions {
  /**
   * What is acknowledged is on the disk with `strict`, and outlives a loss of power. With `relaxed` the operating system has
   * it: that outlives the tab and the browser, and takes less time. Default `strict`.
   */
  durability?: 'strict' | 'relaxed';
  /** Whether to wait while another broker or client has the database open; otherwise that is `storage-in-use`. Default true. */
  wait?: boolean;
  /** Ends the waiting, with `storage-in-use`. */
  signal?: AbortSignal;
  /** Milliseconds that the browser may take to open the database; beyond, it is `storage-blocked`. Default 10,000. */
  openTimeoutMillis?: number;
}

/**
 * Keeps the state of a broker, or of a client's outbox, in the IndexedDB database of this name, which belongs to the origin of the
 * page. Several tabs may name one database: the first has it, and the others wait. Who uses it hears what goes wrong: `storage-unavailable` where there is
 * no IndexedDB, `storage-in-use`, `storage-blocked` when other code keeps the database from opening, `storage-full`,
 * `storage-lost` when it was deleted, and `storage-failed`.
 * @throws MqttError `invalid-options`.
 */
export function indexedDb(name: string, options: IndexedDbOptions = {}): RecordStorage {
  checkText('name', name);
  const { durability = 'strict', wait = true, signal, openTimeoutMillis = 10_000 } = checked(options, INDEXED_DB_OPTIONS);
  if (durability !== 'strict' && durability !== 'relaxed') {
    throw new MqttError('invalid-options', 'durability must be "strict" or "relaxed".');
  }
  return new IndexedDbStorage(name, { durability, wait, signal, openTimeoutMillis });
}

class IndexedDbStorage implements RecordStorage {
  /** Browsers have their own limits of one value, from 127 MiB. */
  readonly maximumValueBytes = 100 << 20;
  readonly #name: string;
  readonly #options: KnownOptions;
  /** Held while the database is open, so that there are never two brokers. */
  #lock: Lock | undefined;
  #database: IDBPDatabase<Schema> | undefined;
  #lost: MqttError | undefined;
  /** Ends what waits for the database. */
  #interrupt: ((error: MqttError) => void) | undefined;

  constructor(name: string, options: KnownOptions) {
    this.#name = name;
    this.#options = options;
  }

  async load(): Promise<StoredRecord[]> {
    try {
      if (!this.#lock && !this.#lost) await this.#open();
      return await this.#unlessLost(this.#read());
    } catch (cause) {
      const error = await this.#explain(cause);
      await this.close();
      throw error;
    }
  }

  async commit(changes: readonly StorageChange[]): Promise<void> {
    try {
      await this.#unlessLost(this.#write(changes));
    } catch (cause) {
      throw await this.#explain(cause);
    }
  }

  async close(): Promise<void> {
    this.#lost = undefined;
    await this.#release();
  }

  async #open(): Promise<void> {
    const { openTimeoutMillis } = this.#options;
    if (typeof indexedDB === 'undefined') {
      throw new MqttError('storage-unavailable', 'This platform has no IndexedDB.', { hint: 'Use another storage, or none.' });
    }
    this.#lock = await lock(this.#name, this.#options, () => this.#lose('Other code took the lock of'));
    this.#database = await open(this.#name, openTimeoutMillis, (what) => this.#lose(what));
  }

  /** Reads in batches: beside the records, the browser never holds more than one in memory. */
  async #read(): Promise<StoredRecord[]> {
    const { store, done } = this.#opened().transaction(STORE);
    done.catch(() => {}); // its requests tell as much
    const records: StoredRecord[] = [];
    for (let range: IDBKeyRange | undefined, count = BATCH; count === BATCH; ) {
      const [keys, values] = await Promise.all([store.getAllKeys(range, BATCH), store.getAll(range, BATCH)]);
      for (const [index, key] of keys.entries()) records.push({ key: new Uint8Array(key), value: values[index]! });
      count = keys.length;
      if (count > 0) range = IDBKeyRange.lowerBound(keys[count - 1], true);
    }
    return records;
  }

  /** One transaction: it is durable when that is complete. */
  async #write(changes: readonly StorageChange[]): Promise<void> {
    const { durability } = this.#options;
    // As the browser has it: the promises around it tell less of why it failed.
    const transaction = unwrap(this.#opened()).transaction(STORE, 'readwrite', { durability });
    const complete = completion(transaction);
    const store = transaction.objectStore(STORE);
    for (const { key, value } of latest(changes)) {
      if (value) store.put(alone(value), alone(key));
      else store.delete(alone(key));
    }
    try {
      transaction.commit();
    } catch {
      // It has failed already, and says why.
    }
    await complete;
  }

  #opened(): IDBPDatabase<Schema> {
    if (this.#lost) throw this.#lost;
    if (this.#database) return this.#database;
    throw new MqttError('storage-failed', `The database "${this.#name}" is not open.`);
  }

  /** Nobody is kept from the database any longer: neither whoever deletes it, nor another broker. */
  #lose(what: string): void {
    this.#lost ??= new MqttError('storage-lost', `${what} the database "${this.#name}" while a broker had it open.`, {
      hint: 'Open another broker. What was in the database may be gone.',
    });
    this.#interrupt?.(this.#lost);
    void this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#lock;
    this.#database?.close();
    this.#database = undefined;
    this.#lock = undefined;
    await held?.release();
  }

  /** What `work` comes to. The browser may leave it undone when it closes the database. */
  #unlessLost<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
    });
  }

  /** What was thrown, in our words. */
  async #explain(cause: unknown): Promise<MqttError> {
    if (cause instanceof MqttError) return cause;
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    if (name === 'QuotaExceededError') return full(this.#name, cause);
    if (name === 'NotFoundError') {
      return new MqttError('storage-failed', `The database "${this.#name}" is no broker's.`, { hint: 'Choose another name.', cause });
    }
    // The browser fails what is on its way before it tells that it closed the database: whether it did shows here.
    await this.#unlessLost(this.#probe()).catch(() => {});
    const failed = new MqttError('storage-failed', `The database "${this.#name}" failed: ${sentence(message || name)}`, { cause });
    return this.#lost ?? failed;
  }

  async #probe(): Promise<void> {
    try {
      if (this.#database) await completion(unwrap(this.#database).transaction(STORE));
    } catch (error) {
      if ((error as Error).name === 'InvalidStateError') this.#lose('The browser closed');
    }
  }
}

/** Opens the database; `onclosed` is called when that is over, with who did what to it. */
function open(name: string, timeoutMillis: number, onclosed: (what: string) => void): Promise<IDBPDatabase<Schema>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => giveUp(), timeoutMillis);
    const opening = openDB<Schema>(name, VERSION, {
      upgrade: (database, from, _to, transaction, event) => {
        transaction.done.catch(() => {}); // the opening tells as much
        // Of Chromium: it found files damaged, and has removed all. Told once; whoever opens again begins with nothing.
        if ((event as IDBVersionChangeEvent & { dataLoss?: string }).dataLoss === 'total') {
          reject(damaged(name));
          return transaction.abort();
        }
        if (from < 1) database.createObjectStore(STORE);
      },
      blocked: () => giveUp(),
      blocking: () => onclosed('Other code deletes or upgrades'),
      terminated: () => onclosed('The browser closed'),
    });
    const giveUp = () => {
      reject(
        new MqttError('storage-blocked', `Other code keeps the database "${name}" from opening.`, {
          hint: 'Close the other tabs of this site, and try again.',
        }),
      );
      opening.then((late) => late.close(), () => {});
    };
    opening.then(resolve, (cause: unknown) => reject(whyNotOpen(name, cause))).finally(() => clearTimeout(timer));
  });
}

function whyNotOpen(name: string, cause: unknown): MqttError {
  switch ((cause as Error | null)?.name) {
    case 'QuotaExceededError':
      return full(name, cause);
    case 'VersionError':
      return new MqttError('storage-failed', `A newer version of MQlite has written the database "${name}".`, {
        hint: 'Update this page: it may be enough to reload it.',
        cause,
      });
    default:
      return new MqttError('storage-unavailable', `The browser does not open the database "${name}" here.`, {
        hint: 'Private windows and frames in a sandbox have no storage, nor has a browser whose profile is damaged.',
        cause,
      });
  }
}

function damaged(name: string): MqttError {
  return new MqttError('storage-lost', `The browser found its files damaged, and removed the database "${name}".`, {
    hint: 'Open the broker again: it begins with nothing.',
  });
}

function full(name: string, cause: unknown): MqttError {
  return new MqttError('storage-full', `There is no room for more in the database "${name}".`, {
    hint: 'Free space on the disk, or delete what this site keeps.',
    cause,
  });
}

/** Resolves when the transaction is complete, which is more than that its requests were done. */
function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
  });
}

/** The last change of each record: within one transaction the others leave nothing behind. */
function latest(changes: readonly StorageChange[]): Iterable<StorageChange> {
  const text = new TextDecoder('latin1');
  return new Map(changes.map((change) => [text.decode(change.key), change])).values();
}

interface KnownOptions {
  durability: 'strict' | 'relaxed';
  wait: boolean;
  signal: AbortSignal | undefined;
  openTimeoutMillis: number;
}

interface Schema extends DBSchema {
  records: { key: ArrayBuffer; value: Uint8Array };
}

const INDEXED_DB_OPTIONS: ShapeOf<IndexedDbOptions> = {
  durability: 'text',
  wait: 'boolean',
  signal: 'any',
  openTimeoutMillis: 'number',
};

/** Of the database: one more whenever its object stores change. */
const VERSION = 1;
const STORE = 'records';
/** Records that are read at a time. */
const BATCH = 1_000;
