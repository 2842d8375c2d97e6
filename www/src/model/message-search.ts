// Which messages of a ring a reader looks for, found little by little. Knows nothing of how they are shown.

import { contains, matches } from './find.ts';
import { type LoggedMessage, weight } from './message.ts';
import type { MessageRing } from './message-ring.ts';

/** What is looked for: all of it must be true. */
export interface MessageQuery {
  /** A part of the topic (or a Topic Filter that takes it), of the payload, or of a property. Empty: any. */
  text: string;
  /** Default both. */
  direction?: LoggedMessage['direction'] | undefined;
}

/** The messages that a query finds. It is behind the ring until `advance` says otherwise. */
export class MessageSearch {
  readonly #ring: MessageRing;
  readonly #query: MessageQuery;
  /** Numbers of what was found; those before `#head` have left the ring. */
  #found: number[] = [];
  #head = 0;
  #forgotten = 0;
  #epoch = -1;
  /** The number of the next message to look at. */
  #next = 0;

  constructor(ring: MessageRing, query: MessageQuery) {
    this.#ring = ring;
    this.#query = query;
  }

  /** Messages that were found and are still in the ring. */
  get length(): number {
    this.#forget();
    return this.#found.length - this.#head;
  }

  /** Found messages that have left the ring. */
  get forgotten(): number {
    this.#forget();
    return this.#forgotten + this.#head;
  }

  /** The found message at this place, 0 being the oldest. */
  at(index: number): LoggedMessage | undefined {
    const number = this.numberAt(index);
    return number === undefined ? undefined : this.#ring.numbered(number);
  }

  /** The number that the message at this place has in the ring. */
  numberAt(index: number): number | undefined {
    this.#forget();
    return this.#found[this.#head + index];
  }

  /**
   * Looks at some more messages.
   * @param milliseconds About how long; at least 64 messages are looked at, or a large one.
   * @returns Whether it has seen all that the ring has.
   */
  advance(milliseconds: number): boolean {
    if (this.#epoch !== this.#ring.epoch) this.#begin();
    const end = this.#ring.forgotten + this.#ring.length;
    this.#next = Math.max(this.#next, this.#ring.forgotten);
    const until = performance.now() + milliseconds;
    let looked = 0;
    while (this.#next < end) {
      const message = this.#ring.numbered(this.#next)!;
      if (isFound(message, this.#query)) this.#found.push(this.#next);
      this.#next += 1;
      looked += Math.max(weight(message), STEP / 64);
      if (looked < STEP) continue;
      looked = 0;
      if (performance.now() >= until) break;
    }
    return this.#next >= end;
  }

  #begin(): void {
    this.#epoch = this.#ring.epoch;
    this.#found = [];
    this.#head = 0;
    this.#next = 0;
    this.#forgotten = 0;
  }

  #forget(): void {
    if (this.#epoch !== this.#ring.epoch) this.#begin();
    while (this.#head < this.#found.length && this.#found[this.#head]! < this.#ring.forgotten) this.#head += 1;
    if (this.#head < SLACK) return;
    this.#found.splice(0, this.#head);
    this.#forgotten += this.#head;
    this.#head = 0;
  }
}

function isFound(message: LoggedMessage, { text, direction }: MessageQuery): boolean {
  if (direction !== undefined && message.direction !== direction) return false;
  if (text === '' || matches(text, message.topic) || contains(message.payload, text)) return true;
  return inProperties(message, text.toLowerCase());
}

function inProperties({ properties }: LoggedMessage, text: string): boolean {
  const { contentType, responseTopic, userProperties } = properties;
  const words = [contentType ?? '', responseTopic ?? '', ...(userProperties ?? []).flat()];
  return words.some((word) => word.toLowerCase().includes(text));
}

/** Bytes that are looked at from one look at the clock to the next. */
const STEP = 1 << 18;

/** Numbers that may be kept of messages that are gone. */
const SLACK = 4_096;
