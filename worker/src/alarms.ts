// Timers that share one: it rings for whichever is due first. Knows no MQTT.

import type { Clock, Timer } from 'mqlite/broker';

/** Any number of timers over one. */
export class Alarms {
  readonly #timer: Timer;
  readonly #clock: Clock;
  readonly #due = new Map<Timer, { at: number; call: () => void }>();

  constructor(timer: Timer, clock: Clock) {
    this.#timer = timer;
    this.#clock = clock;
  }

  /** One more timer. */
  timer(): Timer {
    const timer: Timer = {
      set: (at, call) => {
        this.#due.set(timer, { at, call });
        this.#arm();
      },
      clear: () => {
        if (this.#due.delete(timer)) this.#arm();
      },
    };
    return timer;
  }

  #arm(): void {
    if (this.#due.size === 0) return this.#timer.clear();
    const first = Math.min(...[...this.#due.values()].map(({ at }) => at));
    this.#timer.set(first, () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock();
    const ringing = [...this.#due].filter(([, { at }]) => at <= now);
    for (const [timer] of ringing) this.#due.delete(timer);
    if (this.#due.size > 0) this.#arm();
    for (const [, { call }] of ringing) call();
  }
}
