// Who is sent so much that it goes out in fewer, larger messages. Knows no MQTT.

import { doAll } from './tasks.js';

/** How often something happened of late, and how much it was. */
export class Pace {
  readonly #many: number;
  #begin = 0;
  #count = 0;
  #sum = 0;
  #isOften = false;
  /** Bytes a millisecond, when it was looked at last. */
  rate = 0;

  /** `many` in 20 ms are many. */
  constructor(many: number) {
    this.#many = many;
  }

  /** Of messages to one peer. Those of many others are no answers for which somebody waits: one of them counts as ten. */
  static ofPeer(): Pace {
    return new Pace(4 * FROM_ANOTHER);
  }

  /** Of messages to all peers: to send them takes an eighth of the time, or more. */
  static ofAll(): Pace {
    return new Pace(50);
  }

  /** Tells whether it happened often of late. */
  isOften(now: number): boolean {
    if (now - this.#begin >= WINDOW) {
      this.#isOften = this.#count * WINDOW >= this.#many * (now - this.#begin);
      this.rate = this.#sum / (now - this.#begin);
      this.#begin = now;
      this.#count = 0;
      this.#sum = 0;
    }
    return this.#isOften;
  }

  /** It happens, at the time that was told last, counts as so many and has so many bytes. */
  add(weight = 1, bytes = 0): void {
    this.#count += weight;
    this.#sum += bytes;
  }
}

/** What is done later, all together. */
export class Batch {
  readonly #later: (run: () => void) => void;
  #tasks: (() => void)[] = [];
  #began = 0;

  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  /** When what happens now is over. To the platform a promise costs less than `queueMicrotask`, and leaves less to collect. */
  static soon(): Batch {
    return new Batch((run) => void Promise.resolve().then(run));
  }

  /** The time. While something waits it is that when the first of it came: to look at the clock for each would cost much. */
  get now(): number {
    return this.#tasks.length > 0 ? this.#began : Date.now();
  }

  add(task: () => void): void {
    if (this.#tasks.push(task) > 1) return;
    this.#began = Date.now();
    this.#later(() => {
      const tasks = this.#tasks;
      this.#tasks = [];
      doAll(tasks);
    });
  }
}

/** What a message counts that comes from another than the one before. */
export const FROM_ANOTHER = 10;
/** Milliseconds. */
const WINDOW = 20;
