// Who is let into a room, and with which rights: users by password or SCRAM-SHA-256, bearers of tokens, and, where it is set, anybody.

import type { AuthenticationRequest, Clock, Grant, Verdict } from 'mqlite/broker';
import type { AuthenticationSettings, RoomSettings } from '../settings.js';
import { mayBe } from './client-ids.js';
import { complain } from './complain.js';
import { isEqual } from './equal.js';
import { Failures } from './failures.js';
import { isToken, type TokenClaims, type TokenFault, Tokens } from './jwt.js';
import type { KeyBindings } from './keys.js';
import { decode, decoyVerifier, encode, hmac, isPassword, parseVerifier, type Verifier } from './password.js';
import { challenge, createNonce, type Exchange, finish, readFirst, SCRAM_SHA_256 } from './scram.js';
import { SlowLane } from './slow-lane.js';
import { type AuthenticationContext, peerAddressOf, tokenOf } from './upgrade.js';
import { PASSWORD_ITERATIONS, type UserRecord, type UserStore } from './users.js';

type Deny = Extract<Verdict, { type: 'deny' }>;

/** Decides for one room. */
export class Access {
  readonly #settings: AuthenticationSettings;
  readonly #users: UserStore;
  readonly #clock: Clock;
  readonly #tokens: Tokens;
  readonly #failures: Failures;
  readonly #iterations: number;
  readonly #decoy: Verifier;
  readonly #secret = crypto.getRandomValues(new Uint8Array(32));
  /** Passwords that were right: a client that comes back costs no work. Under a secret of this object's own. */
  readonly #proved = new Map<string, { verifier: string; mac: Uint8Array }>();
  /** Passwords are looked at one after the other, so that none is before the failures of those before it count. */
  #last: Promise<unknown> = Promise.resolve();
  /** A password is looked at there if somebody has just failed who may be the same: meanwhile nothing else is done on this thread. */
  readonly #slowLane: SlowLane;
  readonly #exchanges = new WeakMap<AuthenticationContext, { exchange: Exchange; user: UserRecord | undefined; isAgain: boolean }>();

  constructor(settings: RoomSettings, bindings: KeyBindings, room: string, users: UserStore, clock: Clock) {
    this.#settings = settings.authentication ?? {};
    this.#users = users;
    this.#clock = clock;
    this.#tokens = new Tokens(this.#settings.jwt, bindings, room, clock);
    this.#failures = failuresOf(room, this.#settings.failuresPerMinute ?? FAILURES_PER_MINUTE, clock);
    this.#iterations = this.#settings.passwordIterations ?? PASSWORD_ITERATIONS;
    this.#decoy = decoyVerifier(this.#iterations);
    this.#slowLane = new SlowLane(this.#iterations * MILLISECONDS_PER_ITERATION);
  }

  /** What is known of who opens a WebSocket; `undefined` when the token with the request is not good. */
  async contextOf(request: Request): Promise<AuthenticationContext | undefined> {
    const [peerAddress, text] = [peerAddressOf(request), tokenOf(request)];
    const token = text === undefined ? undefined : await this.#tokens.verify(text);
    if (typeof token === 'string') return undefined;
    return { ...(peerAddress !== undefined && { peerAddress }), ...(token && { token }) };
  }

  /** The verdict on a CONNECT or AUTH. `context` is the same object for all requests of a connection. */
  async authenticate(request: AuthenticationRequest, context: AuthenticationContext): Promise<Verdict> {
    try {
      return await this.#decide(request, context);
    } catch (error) {
      // Its message could quote what the client sent.
      complain(`An authentication failed by itself: ${error instanceof Error ? error.name : typeof error}`);
      return { type: 'deny', reason: UNSPECIFIED_ERROR };
    }
  }

  #decide(request: AuthenticationRequest, context: AuthenticationContext): Verdict | Promise<Verdict> {
    const { step, clientId, userName, password, method } = request;
    if (step === 'continue') return this.#goOn(request, context);
    if (method !== undefined) return method === SCRAM_SHA_256 ? this.#begin(request, context) : BAD_METHOD;
    if (password !== undefined) {
      const isMeantAsToken = this.#tokens.isUsed && password.byteLength <= MAXIMUM_TOKEN_BYTES && isToken(decode(password));
      return isMeantAsToken ? this.#withToken(decode(password), clientId, context) : this.#withPassword(userName, password, clientId, context);
    }
    if (context.token) return this.#admit(context.token, clientId);
    const { anonymous = false, anonymousGrants = EVERYTHING } = this.#settings;
    if (anonymous && userName === undefined) return { type: 'allow', grants: [...anonymousGrants] };
    return userName === undefined ? NO_CREDENTIALS : WRONG_CREDENTIALS;
  }

  async #withToken(token: string, clientId: string, { peerAddress }: AuthenticationContext): Promise<Verdict> {
    if (this.#failures.isRefused(undefined, peerAddress)) return TOO_MANY_FAILURES;
    const found = await this.#tokens.verify(token);
    if (typeof found !== 'string') return this.#admit(found, clientId);
    // Others may have failed meanwhile.
    if (this.#failures.isRefused(undefined, peerAddress)) return TOO_MANY_FAILURES;
    if (found === 'forged') this.#failures.failed(undefined, peerAddress);
    return TOKEN_FAULTS[found];
  }

  async #withPassword(userName = '', password: Uint8Array, clientId: string, context: AuthenticationContext): Promise<Verdict> {
    const check = (isInSlowLane: boolean): Promise<Verdict | undefined> => {
      const turn = this.#last.then(() => this.#checkPassword(userName, password, clientId, context, isInSlowLane));
      this.#last = turn.catch(() => {});
      return turn;
    };
    const verdict = (await check(false)) ?? ((await this.#slowLane.turn()) ? await check(true) : undefined);
    return verdict ?? TOO_MANY_FAILURES;
  }

  /** `undefined` when it is to be asked again in the slow lane. */
  async #checkPassword(
    userName: string,
    password: Uint8Array,
    clientId: string,
    { peerAddress }: AuthenticationContext,
    isInSlowLane: boolean,
  ): Promise<Verdict | undefined> {
    if (this.#failures.isRefused(userName, peerAddress)) return TOO_MANY_FAILURES;
    const user = this.#users.find(userName);
    const mac = await hmac(this.#secret, Uint8Array.from(password));
    const proved = this.#proved.get(userName);
    let isRight = user !== undefined && proved?.verifier === user.verifier && isEqual(mac, proved.mac);
    if (!isRight) {
      if (this.#failures.areTooMany) return TOO_MANY_FAILURES;
      if (!isInSlowLane && this.#failures.hasFailed(userName, peerAddress)) return undefined;
      isRight = await this.#isRight(password, user);
    }
    const current = isRight ? this.#current(userName, user) : undefined;
    if (!current) {
      this.#failures.failed(userName, peerAddress);
      return WRONG_CREDENTIALS;
    }
    this.#failures.succeeded(userName, peerAddress);
    this.#remember(userName, { verifier: current.verifier, mac });
    return this.#admit({ userName, ...current }, clientId);
  }

  /** The user of now, who may have been removed or have got another password while the former one was proved: then `undefined`. */
  #current(userName: string, former: UserRecord | undefined): UserRecord | undefined {
    const user = this.#users.find(userName);
    return user?.verifier === former?.verifier ? user : undefined;
  }

  /** Does for a user who does not exist, or has no verifier that can be read, what it does for others. */
  async #isRight(password: Uint8Array, user: UserRecord | undefined): Promise<boolean> {
    const verifier = user && parseVerifier(user.verifier);
    const isRight = await isPassword(password, verifier ?? this.#decoy);
    return isRight && verifier !== undefined;
  }

  #remember(userName: string, proof: { verifier: string; mac: Uint8Array }): void {
    this.#proved.delete(userName);
    this.#proved.set(userName, proof);
    if (this.#proved.size > MAXIMUM_PROVED) this.#proved.delete(this.#proved.keys().next().value!);
  }

  /** The first step of SCRAM-SHA-256. */
  async #begin({ step, data }: AuthenticationRequest, context: AuthenticationContext): Promise<Verdict> {
    const isAgain = step === 'reAuthenticate';
    this.#exchanges.delete(context);
    const first = readFirst(data);
    if (!first) return isAgain ? NOT_PROVED_AGAIN : WRONG_CREDENTIALS;
    if (this.#failures.isRefused(first.userName, context.peerAddress)) return TOO_MANY_FAILURES;
    const user = this.#users.find(first.userName);
    const verifier = user && parseVerifier(user.verifier);
    const exchange = challenge(first, verifier ?? (await this.#decoyOf(first.userName)), createNonce());
    this.#exchanges.set(context, { exchange, user: verifier && user, isAgain });
    return { type: 'continue', data: encode(exchange.challenge) };
  }

  /** The last one. An exchange does not outlive a sleep of the object, before which its time is up anyway. */
  async #goOn({ data, clientId, userName: former }: AuthenticationRequest, context: AuthenticationContext): Promise<Verdict> {
    const { exchange, user, isAgain } = this.#exchanges.get(context) ?? {};
    this.#exchanges.delete(context);
    if (!exchange) return NOT_PROVED_AGAIN;
    const { userName } = exchange.first;
    if (this.#failures.isRefused(userName, context.peerAddress)) return TOO_MANY_FAILURES;
    const proof = await finish(exchange, data);
    // Others may have failed meanwhile: who is right after too many guesses is refused, too.
    if (this.#failures.isRefused(userName, context.peerAddress)) return TOO_MANY_FAILURES;
    const current = proof === undefined || !user ? undefined : this.#current(userName, user);
    if (proof === undefined || !current) {
      this.#failures.failed(userName, context.peerAddress);
      return isAgain ? NOT_PROVED_AGAIN : WRONG_CREDENTIALS;
    }
    this.#failures.succeeded(userName, context.peerAddress);
    // A connection cannot become that of somebody else.
    if (isAgain && userName !== former) return NOT_PROVED_AGAIN;
    const verdict = this.#admit({ userName, ...current }, clientId);
    return verdict.type === 'allow' ? { ...verdict, data: encode(proof) } : verdict;
  }

  /** The same salt whenever somebody asks for this name, as users have: else it would tell that there is no such user. */
  async #decoyOf(userName: string): Promise<Verifier> {
    const salt = await hmac(await this.#users.secret(), encode(userName));
    return decoyVerifier(this.#iterations, salt.slice(0, this.#decoy.salt.byteLength));
  }

  #admit({ userName, grants, clientIds, expiresAt }: Partial<TokenClaims> & { userName: string }, clientId: string): Verdict {
    if (expiresAt !== undefined && expiresAt <= this.#clock()) return TOKEN_FAULTS.unfit;
    if (!mayBe(clientId, userName, clientIds)) return WRONG_CLIENT_ID;
    const rights: readonly Grant[] = grants ?? this.#settings.grants ?? EVERYTHING;
    return { type: 'allow', grants: [...rights], userName, ...(expiresAt !== undefined && { expiresAt }) };
  }
}

/** The failures of a room outlive its object, which sleeps when nothing happens: in this isolate, and only those of the last rooms. */
const failures = new Map<string, Failures>();

function failuresOf(room: string, perMinute: number, clock: Clock): Failures {
  const known = failures.get(room) ?? new Failures(perMinute, clock);
  failures.delete(room);
  failures.set(room, known);
  if (failures.size > MAXIMUM_ROOMS) failures.delete(failures.keys().next().value!);
  return known;
}

/** All topics but `$SYS` and others that begin with `$`. */
const EVERYTHING: readonly Grant[] = [{ filter: '#' }];

/** A Reason Code. */
const UNSPECIFIED_ERROR = 0x80;

const BAD_METHOD: Deny = { type: 'deny', reason: 0x8c, message: 'The only method of enhanced authentication here is SCRAM-SHA-256.' };

const NO_CREDENTIALS: Deny = { type: 'deny', reason: 0x87, message: 'Bring a user name and a password, or a token.' };

/** Whatever was wrong with them: [MQTT-3.1.4-2] leaves it to the server, and who tries others learns nothing. */
const WRONG_CREDENTIALS: Deny = { type: 'deny', reason: 0x86, message: 'The user name or the password is wrong.' };

const NOT_PROVED_AGAIN: Deny = { type: 'deny', reason: 0x87, message: 'The authentication failed.' };

const WRONG_CLIENT_ID: Deny = { type: 'deny', reason: 0x85, message: 'This user may not have this Client Identifier.' };

const TOO_MANY_FAILURES: Deny = { type: 'deny', reason: 0x9f, message: 'Too many attempts have failed: wait a minute.' };

const TOKEN_FAULTS: Record<TokenFault, Deny> = {
  forged: WRONG_CREDENTIALS,
  unfit: { type: 'deny', reason: 0x87, message: 'The token has expired, or is for somebody else.' },
  elsewhere: { type: 'deny', reason: 0x87, message: 'The token is for other rooms.' },
  unavailable: { type: 'deny', reason: 0x88, message: 'Tokens cannot be checked just now: try again.' },
};

/** Of one user name, and of one peer address. */
const FAILURES_PER_MINUTE = 10;

const MAXIMUM_TOKEN_BYTES = 8_192;

/** Of the slow lane: about a hundred times as long as the work takes, so 5 seconds with 100,000 iterations. */
const MILLISECONDS_PER_ITERATION = 0.05;

/** Users whose last password is remembered to be right. */
const MAXIMUM_PROVED = 1_024;

/** Rooms whose failures are remembered. */
const MAXIMUM_ROOMS = 256;
