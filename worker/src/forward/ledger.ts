// What a room remembers of its forwards besides their messages, in a table of the object's database. Knows no message.

/** What is remembered of one forward. */
export interface Account {
  /** What its messages were subscribed with. */
  readonly filter: string;
  /** Makes the numbers unique, whatever becomes of this account. */
  readonly epoch: string;
  /** The number of the next message. */
  readonly next: number;
  /** The messages that have a number and are not acknowledged, in order: number and Packet Identifier. */
  readonly entries: readonly (readonly [number: number, packetIdentifier: number])[];
  /** How many of them are tried together, and how often they were. */
  readonly tried: number;
  readonly attempts: number;
  /** When they are tried again, in milliseconds since 1970. */
  readonly retryAt: number;
}

/** The accounts of a room. Each change is one row that is written. */
export class Ledger {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('CREATE TABLE IF NOT EXISTS forwards (name TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID');
  }

  names(): string[] {
    return this.#sql.exec<{ name: string }>('SELECT name FROM forwards').toArray().map(({ name }) => name);
  }

  read(name: string): Account | undefined {
    const [row] = this.#sql.exec<{ account: string }>('SELECT account FROM forwards WHERE name = ?', name).toArray();
    return row && (JSON.parse(row.account) as Account);
  }

  write(name: string, account: Account): void {
    this.#sql.exec('INSERT OR REPLACE INTO forwards VALUES (?, ?)', name, JSON.stringify(account));
  }

  remove(name: string): void {
    this.#sql.exec('DELETE FROM forwards WHERE name = ?', name);
  }
}
