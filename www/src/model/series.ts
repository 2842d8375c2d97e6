// The numbers of a topic's history at one path, over time. Knows nothing of how they are drawn.

import type { Formatter } from './formats.ts';
import { numberAt, type Step } from './json-paths.ts';
import type { LoggedMessage } from './message.ts';

/** Times and values of the same length, oldest first. */
export interface Points {
  /** Seconds since 1970. */
  readonly times: number[];
  readonly values: number[];
  /** Messages that have no number there. */
  readonly without: number;
  /** Whether all messages were looked at; ask again for the rest. */
  readonly isWhole: boolean;
}

/** What a history has at one path. Each payload is read once. */
export class Series {
  readonly #steps: readonly Step[];
  readonly #formatter: Formatter;
  readonly #numbers = new WeakMap<LoggedMessage, number>();

  constructor(steps: readonly Step[], formatter: Formatter) {
    this.#steps = steps;
    this.#formatter = formatter;
  }

  /**
   * The points of these messages.
   * @param milliseconds About how long payloads may be read; the latest come first.
   */
  points(messages: Iterable<LoggedMessage>, milliseconds = 20): Points {
    const until = performance.now() + milliseconds;
    let read = 0;
    const all = [...messages].reverse();
    const times: number[] = [];
    const values: number[] = [];
    let without = 0;
    let isWhole = true;
    for (const message of all) {
      if (!this.#numbers.has(message) && (read += 1) > 16 && performance.now() > until) {
        isWhole = false;
        break;
      }
      const number = this.#number(message);
      if (Number.isNaN(number)) without += 1;
      else {
        times.push(message.time / 1000);
        values.push(number);
      }
    }
    return { times: times.reverse(), values: values.reverse(), without, isWhole };
  }

  #number(message: LoggedMessage): number {
    let number = this.#numbers.get(message);
    if (number === undefined) {
      number = numberAt(this.#formatter.value(message.payload), this.#steps) ?? Number.NaN;
      this.#numbers.set(message, number);
    }
    return number;
  }
}
