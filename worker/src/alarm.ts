// The object's one alarm as the broker's timer. Knows no MQTT.

import type { Clock, Timer } from 'mqlite';

/** A timer that wakes the object, evicted or not. Its granularity is a millisecond. */
export class Alarm implements Timer {
  readonly #storage: DurableObjectStorage;
  readonly #clock: Clock;
  #due: { at: number; call: () => void } | undefined;
  #armed: number | undefined;

  constructor(storage: DurableObjectStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  set(at: number, call: () => void): void {
    this.#due = { at, call };
    // Arming is a write. A deadline that moves away, as keep-alive does with each packet, keeps the earlier alarm.
    if (this.#armed === undefined || at < this.#armed) this.#arm(at);
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
    if (!this.#due) return;
    const { at, call } = this.#due;
    if (this.#clock() < at) return this.#arm(at);
    this.#due = undefined;
    call();
  }

  #arm(at: number): void {
    this.#armed = at;
    // What is due now is work that an input left: it is gone with the object's memory, and needs no alarm.
    if (at <= this.#clock()) setTimeout(() => this.fired());
    else this.#storage.setAlarm(at);
  }
}
