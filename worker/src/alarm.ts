// The object's one alarm as the broker's timer. Knows no MQTT.

import type { Clock, Timer } from 'mqlite/broker';

/** A timer that wakes the object, evicted or not. Its granularity is a millisecond. */
export class Alarm implements Timer {
  readonly #storage: DurableObjectStorage;
  readonly #clock: Clock;
  #due: { at: number; call: () => void } | undefined;
  #armed: number | undefined;
  #isLeisurely = false;
  #isArmingLater = false;

  /** `armed` is what the storage has: an alarm outlives the object. */
  constructor(storage: DurableObjectStorage, clock: Clock, armed: number | null) {
    this.#storage = storage;
    this.#clock = clock;
    this.#armed = armed ?? undefined;
  }

  set(at: number, call: () => void): void {
    this.#due = { at, call };
    const now = this.#clock();
    if (at <= now) {
      // Work that was put off needs no alarm: the object does not sleep before it is done.
      setTimeout(() => this.#ring(), 0);
    } else if (this.#armed === undefined || at < this.#armed || isMuchLater(at, this.#armed, now)) {
      if (this.#isLeisurely) return this.#armLater();
      this.#armed = at;
      this.#storage.setAlarm(at);
    }
  }

  /**
   * Does `task`, and arms what that sets a moment later, if it is still set then: it need not outlive a crash, and arming is a write
   * that all that is sent waits for. Until then the object does not sleep.
   */
  leisurely(task: () => void): void {
    this.#isLeisurely = true;
    try {
      task();
    } finally {
      this.#isLeisurely = false;
    }
  }

  clear(): void {
    this.#due = undefined;
    if (this.#armed === undefined) return;
    this.#armed = undefined;
    this.#storage.deleteAlarm();
  }

  /** What the object's `alarm` handler calls. */
  fired(): void {
    this.#armed = undefined;
    this.#ring();
  }

  #armLater(): void {
    if (this.#isArmingLater) return;
    this.#isArmingLater = true;
    setTimeout(() => {
      this.#isArmingLater = false;
      if (this.#due) this.set(this.#due.at, this.#due.call);
    }, MOMENT);
  }

  #ring(): void {
    if (!this.#due) return;
    const { at, call } = this.#due;
    if (this.#clock() < at) return this.set(at, call);
    this.#due = undefined;
    call();
    // Whoever was called and set nothing waits for nothing.
    if (!this.#due) this.clear();
  }
}

/**
 * Arming is a write. A deadline that moves on with each packet, as that of Keep Alive does, is worth one when it has moved by a
 * third of what is left: then no alarm goes off while packets come, and at most one does for nothing afterwards.
 */
function isMuchLater(at: number, armed: number, now: number): boolean {
  return (at - armed) * 3 >= Math.max(armed - now, 3_000);
}

/** Milliseconds: a client says CONNECT as soon as its WebSocket is open. */
const MOMENT = 500;
