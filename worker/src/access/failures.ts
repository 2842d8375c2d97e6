// Who has failed to authenticate too often of late. In memory, and bounded: whoever is forgotten may only try a few times more.

import type { Clock } from 'mqlite/broker';
import { networkOf } from './network.js';
import { Recent } from './recent.js';

/** Counts failures, by user name and by peer address. */
export class Failures {
  readonly #perMinute: number;
  readonly #clock: Clock;
  readonly #names = new Recent<Count>();
  readonly #peers = new Recent<Count>();
  /** Where users were let in from: their own place is theirs even while somebody else tries their name. */
  readonly #places = new Recent<Count>();
  #all: Count = NONE;

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = Math.max(1, perMinute);
    this.#clock = clock;
  }

  /** Whether to refuse at once. */
  isRefused(userName: string | undefined, address: string | undefined): boolean {
    const peer = networkOf(address);
    if (peer !== undefined && this.#isFull(this.#peers, peer)) return true;
    if (userName === undefined) return false;
    const place = placeOf(userName, peer);
    if (place !== undefined && this.#places.has(place)) return this.#isFull(this.#places, place);
    return this.#isFull(this.#names, userName);
  }

  /** Whether somebody has failed within the last minute who may be the same. */
  hasFailed(userName: string, address: string | undefined): boolean {
    const peer = networkOf(address);
    // One failure there is that of somebody else as likely.
    if (peer !== undefined && this.#level(this.#peers, peer) > 1) return true;
    const place = placeOf(userName, peer);
    const isPlace = place !== undefined && this.#places.has(place);
    const { level, at } = (isPlace ? this.#places.get(place) : this.#names.get(userName)) ?? NONE;
    return level > 0 && this.#clock() - at < 60_000;
  }

  /** Whether so many have failed, whoever they are, that there is no more work for those who were not here before. */
  get areTooMany(): boolean {
    return this.#leaked(this.#all, this.#perMinute * OF_ALL) > this.#perMinute * OF_ALL - 1;
  }

  failed(userName: string | undefined, address: string | undefined): void {
    const peer = networkOf(address);
    if (peer !== undefined) this.#count(this.#peers, peer);
    // A token costs less work than there is to bound.
    if (userName === undefined) return;
    this.#all = this.#risen(this.#all, this.#perMinute * OF_ALL);
    const place = placeOf(userName, peer);
    if (place !== undefined && this.#places.has(place)) this.#count(this.#places, place);
    else this.#count(this.#names, userName);
  }

  succeeded(userName: string, address: string | undefined): void {
    const place = placeOf(userName, networkOf(address));
    if (place !== undefined && !this.#places.has(place)) this.#places.set(place, { level: 0, at: this.#clock() });
  }

  #isFull(table: Recent<Count>, key: string): boolean {
    return this.#level(table, key) > this.#perMinute - 1;
  }

  #count(table: Recent<Count>, key: string): void {
    table.set(key, this.#risen(table.get(key) ?? NONE, this.#perMinute));
  }

  /** A count with one more, but no more than it may be: however many fail at once, that is over in a minute. */
  #risen(count: Count, perMinute: number): Count {
    return { level: Math.min(this.#leaked(count, perMinute) + 1, perMinute), at: this.#clock() };
  }

  #level(table: Recent<Count>, key: string): number {
    return this.#leaked(table.get(key) ?? NONE, this.#perMinute);
  }

  /** What is left of a count: so many leak away in a minute. */
  #leaked({ level, at }: Count, perMinute: number): number {
    return Math.max(0, level - ((this.#clock() - at) * perMinute) / 60_000);
  }
}

interface Count {
  readonly level: number;
  readonly at: number;
}

function placeOf(userName: string, peer: string | undefined): string | undefined {
  return peer === undefined ? undefined : `${peer}\n${userName}`;
}

const NONE: Count = { level: 0, at: 0 };

/** How many more may fail together than of one name. */
const OF_ALL = 30;
