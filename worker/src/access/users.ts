// The users of a room, kept with it by its broker: they travel with a backup. A verifier never leaves by here but to who checks it.

import type { Grant } from 'mqlite/broker';
import { isClientIds, isGrants, isUserName } from './names.js';
import { createVerifier, decode, encode, prepared } from './password.js';

/** The part of a broker that keeps a host's records. */
export interface Keeper {
  keep(name: string, value?: Uint8Array): Promise<void>;
  kept(prefix: string): Map<string, Uint8Array>;
  keptValue(name: string): Uint8Array | undefined;
}

/** What is kept of a user. */
export interface UserRecord {
  /** `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY`. A secret. */
  readonly verifier: string;
  /** Default those of the settings. */
  readonly grants?: readonly Grant[];
  /** Patterns of the Client Identifiers that the user may have, with `%u` and `*` at the end. Default any. */
  readonly clientIds?: readonly string[];
}

/** What anybody is told of a user. */
export interface UserSummary extends Omit<UserRecord, 'verifier'> {
  readonly name: string;
}

/** What an operator says of a user. */
export interface UserChange extends Omit<UserRecord, 'verifier'> {
  /** 8 to 256 characters. A user who is there keeps the password unless this says another. */
  readonly password?: string;
}

/** What it takes to authenticate users. */
export interface UserStore {
  find(name: string): UserRecord | undefined;
  /** Bytes that only this room knows, and always the same. */
  secret(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What was wrong with a change of a user, in a sentence for who made it. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The users of one room. */
export class Users implements UserStore {
  readonly #keeper: Keeper;
  readonly #iterations: number;

  /** `iterations` are those of new passwords. */
  constructor(keeper: Keeper, iterations: number = PASSWORD_ITERATIONS) {
    this.#keeper = keeper;
    this.#iterations = iterations;
  }

  /**
   * Creates a user, or replaces what is kept of one; durable when it resolves, with whether the user is a new one.
   * @throws UserError
   */
  async put(name: string, change: UserChange): Promise<boolean> {
    if (!isUserName(name) || prepared(name) !== name) {
      throw new UserError('A user name is 1 to 256 bytes of text in Unicode normal form NFKC, without control characters.');
    }
    const { password, grants, clientIds } = checkedChange(change);
    const verifier = password === undefined ? undefined : await createVerifier(password, this.#iterations);
    if (password !== undefined && verifier === undefined) throw new UserError('A password must be text without control characters.');
    const known = this.find(name);
    const kept = verifier ?? known?.verifier;
    if (kept === undefined) throw new UserError('A new user needs a password.');
    const record: UserRecord = { verifier: kept, ...(grants && { grants }), ...(clientIds && { clientIds }) };
    await this.#keeper.keep(PREFIX + name, encode(JSON.stringify(record)));
    return known === undefined;
  }

  /** Resolves with whether there was such a user; durable then. */
  async remove(name: string): Promise<boolean> {
    const isKnown = this.#keeper.keptValue(PREFIX + name) !== undefined;
    if (isKnown) await this.#keeper.keep(PREFIX + name);
    return isKnown;
  }

  /** All users, by name. */
  list(): UserSummary[] {
    const users = [...this.#keeper.kept(PREFIX)].flatMap(([key, value]) => {
      const { verifier: _, ...rest } = parse(value) ?? {};
      return { name: key.slice(PREFIX.length), ...rest };
    });
    return users.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** `undefined` also for a record that cannot be read, as after the import of a file that somebody made: it lets nobody in. */
  find(name: string): UserRecord | undefined {
    const value = this.#keeper.keptValue(PREFIX + name);
    return value && parse(value);
  }

  async secret(): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#keeper.keptValue(SECRET);
    if (known) return Uint8Array.from(known);
    const secret = crypto.getRandomValues(new Uint8Array(32));
    await this.#keeper.keep(SECRET, secret);
    return secret;
  }
}

function checkedChange(change: UserChange): UserChange {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new UserError('A user is an object with password, grants and clientIds.');
  }
  const unknown = Object.keys(change).find((key) => !['password', 'grants', 'clientIds'].includes(key));
  if (unknown !== undefined) throw new UserError(`A user has password, grants and clientIds, and no ${JSON.stringify(unknown.slice(0, 64))}.`);
  const { password, grants, clientIds } = change;
  if (password !== undefined && (typeof password !== 'string' || password.length < 8 || password.length > 256)) {
    throw new UserError('A password is a text of 8 to 256 characters.');
  }
  if (grants !== undefined && !isGrants(grants)) {
    throw new UserError('grants is a list of at most 256 objects with filter and, if need be, publish, subscribe, maximumQos and retain.');
  }
  if (clientIds !== undefined && !isClientIds(clientIds)) throw new UserError('clientIds is a list of at most 256 texts.');
  return change;
}

function parse(value: Uint8Array): UserRecord | undefined {
  try {
    const { verifier, grants, clientIds } = JSON.parse(decode(value));
    const isUsable = typeof verifier === 'string' && (grants === undefined || isGrants(grants)) && (clientIds === undefined || isClientIds(clientIds));
    return isUsable ? { verifier, ...(grants && { grants }), ...(clientIds && { clientIds }) } : undefined;
  } catch {
    return undefined;
  }
}

/** The names of what is kept of users begin so. */
const PREFIX = 'user/';

/** What a room's secret is kept as. */
const SECRET = 'access/secret';

/** The most that Cloudflare's WebCrypto takes. */
export const PASSWORD_ITERATIONS = 100_000;
