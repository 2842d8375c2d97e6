// Where a client stands between its connections, and when it tries again. No IO: it is told what happened, and tells what is due.

/**
 * What a client does: it opens a connection, has one, waits to try again, or has ended for good. Only `ended` is never left.
 */
export type ClientStatus = 'connecting' | 'connected' | 'waiting' | 'ended';

/** How a client comes back. The delay before each attempt is chosen at random, up to a limit that doubles each time. */
export interface ReconnectOptions {
  /** Milliseconds: the limit of the first delay. Default 500. */
  minimumDelayMillis?: number;
  /** Milliseconds: the limit of every delay. Default 30,000. */
  maximumDelayMillis?: number;
  /** Attempts in a row that may fail; the client ends with the last. Default no limit: the attempts become rare, and go on. */
  maximumAttempts?: number;
}

/** What follows the end of a connection or of an attempt. */
export type Next =
  /** Another attempt, later. */
  | 'later'
  /** Another attempt at once: the server said what to do differently. */
  | 'now'
  /** An attempt when the network is back. */
  | 'online'
  /** Nothing. */
  | 'never';

/** The statuses of one client. It begins with an attempt. */
export class Course {
  readonly #minimum: number;
  readonly #maximum: number;
  readonly #attempts: number;
  readonly #random: () => number;
  #status: ClientStatus = 'connecting';
  #dueAt: number | undefined;
  /** Attempts in a row that led to no connection that lasted. */
  #failures = 0;
  #connectedAt = 0;

  /** `random` is from 0 to less than 1. Without options it never tries again. */
  constructor(reconnect: ReconnectOptions | undefined, random: () => number) {
    this.#minimum = reconnect?.minimumDelayMillis ?? MINIMUM_DELAY;
    this.#maximum = Math.max(reconnect?.maximumDelayMillis ?? MAXIMUM_DELAY, this.#minimum);
    this.#attempts = reconnect ? (reconnect.maximumAttempts ?? Number.POSITIVE_INFINITY) : 0;
    this.#random = random;
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** When the next attempt is due: while it waits, and not for the network. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** The server accepted the connection. */
  accepted(now: number): void {
    if (this.#status !== 'connecting') return;
    this.#status = 'connected';
    this.#connectedAt = now;
  }

  /** Whether the connection has lasted: one that is closed at once again and again is to be as rare as one that cannot be opened. */
  hasLasted(now: number): boolean {
    return this.#status === 'connected' && now - this.#connectedAt >= LASTING;
  }

  /** The connection is over, or the attempt has failed. */
  lost(now: number, next: Next): void {
    if (this.#status === 'ended') return;
    if (this.hasLasted(now)) this.#failures = 0;
    this.#dueAt = undefined;
    if (next === 'now') return this.#become('connecting');
    if (next === 'online' && this.#attempts > 0) return this.#become('waiting');
    this.#failures += 1;
    if (next === 'never' || this.#failures > this.#attempts) return this.#become('ended');
    const limit = Math.min(this.#minimum * 2 ** (this.#failures - 1), this.#maximum);
    this.#dueAt = now + Math.floor(this.#random() * limit);
    this.#become('waiting');
  }

  /** The time has come, or something happened that makes an attempt worth while. Whether it is to be made. */
  wake(): boolean {
    if (this.#status !== 'waiting') return false;
    this.#dueAt = undefined;
    this.#become('connecting');
    return true;
  }

  /** Nothing is to follow. */
  end(): void {
    this.#dueAt = undefined;
    this.#become('ended');
  }

  #become(status: ClientStatus): void {
    this.#status = status;
  }
}

/** Milliseconds. */
const MINIMUM_DELAY = 500;
const MAXIMUM_DELAY = 30_000;

/** Milliseconds after which a connection counts as one that works. */
const LASTING = 10_000;
