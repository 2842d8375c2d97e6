// The latest messages of one connection. Knows nothing of how they are shown.

import type { ReadonlySignal } from '@preact/signals';
import { FrameVersion } from './frame.ts';
import { type LoggedMessage, weight } from './message.ts';
import { Ring } from './ring.ts';

/** How much a ring keeps. */
export interface RingLimits {
  /** Messages, from 1. Default 100,000. */
  messages?: number;
  /** Bytes of payloads, topics and properties. A message that is larger alone is kept alone. Default 64 MiB. */
  bytes?: number;
}

/** The latest messages, oldest first; older ones make room, and are counted. */
export class MessageRing {
  readonly limits: Required<RingLimits>;
  readonly #messages: Ring<LoggedMessage>;
  readonly #version = new FrameVersion();
  #bytes = 0;
  #forgotten = 0;
  #epoch = 0;

  constructor({ messages = MESSAGES, bytes = BYTES }: RingLimits = {}) {
    this.limits = { messages, bytes };
    this.#messages = new Ring(messages);
  }

  /** Messages that are here. */
  get length(): number {
    return this.#messages.length;
  }

  /** About the bytes of the messages that are here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that made room: the number of the oldest one that is here, counted from 0 since the last `clear`. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** How often it was cleared: numbers begin anew then. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Changes at most once a frame. */
  get version(): ReadonlySignal<number> {
    return this.#version.signal;
  }

  push(message: LoggedMessage): void {
    const evicted = this.#messages.push(message);
    this.#bytes += weight(message);
    if (evicted) this.#forget(evicted);
    while (this.#bytes > this.limits.bytes && this.length > 1) this.#forget(this.#messages.shift()!);
    this.#version.bump();
  }

  /** The message at this place, 0 being the oldest that is here. */
  at(index: number): LoggedMessage | undefined {
    return this.#messages.at(index);
  }

  /** The message of this number: the first that ever came is 0. */
  numbered(number: number): LoggedMessage | undefined {
    return number < this.#forgotten ? undefined : this.#messages.at(number - this.#forgotten);
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
    this.#forgotten = 0;
    this.#epoch += 1;
    this.#version.bump();
  }

  #forget(message: LoggedMessage): void {
    this.#bytes -= weight(message);
    this.#forgotten += 1;
  }
}

const MESSAGES = 100_000;
const BYTES = 64 << 20;
