// How fast connections are opened from one network: more than that wait, each its turn, and whoever broke a rule waits longer.
// In memory, and bounded. Knows no MQTT.

import type { Clock } from 'mqlite/broker';
import { networkOf } from './access/network.js';
import { Recent } from './access/recent.js';

/** How fast one peer address, or one network of IPv6, may open connections to a room. */
export interface ConnectionRate {
  /** Connections in a second, over time. Default 10. */
  readonly perSecond?: number;
  /** Connections at once, before the others wait. Default 1,000: as many as come back together after a network has failed. */
  readonly burst?: number;
}

export class Arrivals {
  /** Milliseconds of one connection. */
  readonly #interval: number;
  /** Milliseconds of as many as may come at once. */
  readonly #room: number;
  readonly #clock: Clock;
  /** For each network, when all that came would have been let in one by one. */
  readonly #ends = new Recent<number>();
  #waiting = 0;

  constructor({ perSecond = 10, burst = 1_000 }: ConnectionRate, clock: Clock) {
    this.#interval = 1_000 / perSecond;
    this.#room = burst * this.#interval;
    this.#clock = clock;
  }

  /** Resolves when a connection may come in, with false when too many wait. Who has no address does not wait. */
  async admit(address: string | undefined): Promise<boolean> {
    const network = networkOf(address);
    if (network === undefined) return true;
    const now = this.#clock();
    const end = Math.max(this.#ends.get(network) ?? 0, now) + this.#interval;
    const wait = end - now - this.#room;
    if (wait > LONGEST_WAIT || (wait > 0 && this.#waiting >= MOST_WAITING)) return false;
    this.#ends.set(network, end);
    if (wait <= 0) return true;
    this.#waiting += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    this.#waiting -= 1;
    return true;
  }

  /** A connection from there was closed because it broke a rule: it counts as many, but nobody is kept out for good. */
  broke(address: string | undefined): void {
    this.#add(address, BREACH);
  }

  /** A connection from there was refused for a wrong password, of which there is a limit of its own. */
  guessed(address: string | undefined): void {
    this.#add(address, GUESS);
  }

  /** A connection from there, opened at this time, is gone without a word: if it was hardly there it counts as some. */
  vanished(address: string | undefined, opened: number): void {
    if (this.#clock() - opened < BRIEFLY) this.#add(address, VISIT);
  }

  #add(address: string | undefined, connections: number): void {
    const network = networkOf(address);
    if (network === undefined) return;
    const now = this.#clock();
    const end = Math.max(this.#ends.get(network) ?? 0, now);
    const most = now + this.#room + LONGEST_WAIT - this.#interval;
    this.#ends.set(network, Math.max(end, Math.min(end + connections * this.#interval, most)));
  }
}

/** Connections that one stands for which broke a rule. */
const BREACH = 400;
/** Connections that one stands for which guessed a password. */
const GUESS = 100;
/** Connections that one stands for which was let in and vanished, and the milliseconds within which. */
const VISIT = 50;
const BRIEFLY = 1_000;
/** Milliseconds. */
const LONGEST_WAIT = 10_000;
/** Of all networks. */
const MOST_WAITING = 1_000;
