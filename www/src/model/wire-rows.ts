// Which entries of a log are shown: all that a filter lets through, kept up to date without going through the log again. Knows
// nothing of how they are shown.

import type { WireEntry, WireLog } from './wire-log.ts';

/** The packets that are shown: all, those that carry messages, or those about connections and subscriptions. */
export type PacketChoice = (typeof PACKET_CHOICES)[number];

export const PACKET_CHOICES = ['all', 'noPings', 'messages', 'connections', 'subscriptions'] as const;

export interface WireFilter {
  readonly packets: PacketChoice;
  /** Numbers of the parties whose entries are shown. */
  readonly parties: ReadonlySet<number>;
}

export class WireRows {
  readonly #log: WireLog;
  #filter: WireFilter;
  /** Numbers of entries; those before `#start` are gone. */
  #numbers: number[] = [];
  #start = 0;
  /** Entries from this number on have not been looked at. */
  #next = 0;
  #gone = 0;

  constructor(log: WireLog, filter: WireFilter) {
    this.#log = log;
    this.#filter = filter;
  }

  get length(): number {
    return this.#numbers.length - this.#start;
  }

  /** How many rows have gone at the top. */
  get gone(): number {
    return this.#gone;
  }

  /** The entry of this row. */
  at(index: number): WireEntry | undefined {
    const number = this.#numbers[this.#start + index];
    return number === undefined ? undefined : this.#log.numbered(number);
  }

  /** The row of this entry, or -1. */
  indexOf(number: number): number {
    let [low, high] = [this.#start, this.#numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return this.#numbers[low] === number ? low - this.#start : -1;
  }

  /** Takes in what the log has now; begins anew where the filter is another one. */
  update(filter: WireFilter): void {
    if (filter !== this.#filter) {
      this.#filter = filter;
      this.#numbers = [];
      this.#start = this.#next = this.#gone = 0;
    }
    const log = this.#log;
    for (let number = Math.max(this.#next, log.first); number < log.next; number += 1) {
      if (isShown(log.numbered(number)!, filter)) this.#numbers.push(number);
    }
    this.#next = log.next;
    while (this.#start < this.#numbers.length && this.#numbers[this.#start]! < log.first) {
      this.#start += 1;
      this.#gone += 1;
    }
    if (this.#start <= this.#numbers.length / 2) return;
    this.#numbers = this.#numbers.slice(this.#start);
    this.#start = 0;
  }
}

export function isShown(entry: WireEntry, { packets, parties }: WireFilter): boolean {
  if (!parties.has(entry.party.number)) return false;
  if (entry.kind !== 'packet') return packets === 'all' || packets === 'noPings' || packets === 'connections';
  return TYPES[packets].includes(entry.bytes[0]! >> 4);
}

/** Packet types (2.1.2). */
const TYPES: { readonly [choice in PacketChoice]: readonly number[] } = {
  all: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  noPings: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15],
  messages: [3, 4, 5, 6, 7],
  connections: [1, 2, 12, 13, 14, 15],
  subscriptions: [8, 9, 10, 11],
};
