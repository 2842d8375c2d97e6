// When something is due: the clock and the timer of the platform, or those of a host or test. Knows no MQTT.

/** Milliseconds since 1970. */
export type Clock = () => number;

/** One alarm: the time that was set last, if any. */
export interface Timer {
  /** Calls `call` once at or soon after `at`, in milliseconds since 1970, instead of whatever was set before. */
  set(at: number, call: () => void): void;
  /** Calls nothing any more. */
  clear(): void;
}

/** The platform's timer. It keeps no process alive. */
export class SystemTimer implements Timer {
  readonly #clock: Clock;
  #handle: ReturnType<typeof setTimeout> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(at: number, call: () => void): void {
    this.clear();
    const wait = Math.min(Math.max(at - this.#clock(), 0), LONGEST);
    this.#handle = setTimeout(() => (this.#clock() < at ? this.set(at, call) : call()), wait);
    letProcessEnd(this.#handle);
  }

  clear(): void {
    clearTimeout(this.#handle);
  }
}

/** Any number of alarms over one timer. */
export class Alarms {
  readonly #timer: Timer;
  readonly #set = new Map<Timer, { at: number; call: () => void }>();
  /** What the timer was set to. */
  #armed = Number.POSITIVE_INFINITY;

  constructor(timer: Timer) {
    this.#timer = timer;
  }

  /** One more alarm, which is a timer itself. */
  alarm(): Timer {
    const alarm: Timer = {
      set: (at, call) => {
        this.#set.set(alarm, { at, call });
        if (at < this.#armed) this.#arm(at);
      },
      clear: () => {
        this.#set.delete(alarm);
        // Otherwise it rings for nothing, once: that is cheaper than to look for the next one each time.
        if (this.#set.size === 0) this.clear();
      },
    };
    return alarm;
  }

  /** Clears all alarms. */
  clear(): void {
    this.#set.clear();
    if (this.#armed === Number.POSITIVE_INFINITY) return;
    this.#armed = Number.POSITIVE_INFINITY;
    this.#timer.clear();
  }

  #arm(at: number): void {
    this.#armed = at;
    this.#timer.set(at, () => this.#ring(at));
  }

  #ring(now: number): void {
    this.#armed = Number.POSITIVE_INFINITY;
    const due = [...this.#set].filter(([, { at }]) => at <= now);
    for (const [alarm] of due) this.#set.delete(alarm);
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#set.values()) next = Math.min(next, at);
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
    for (const [, { call }] of due) call();
  }
}

/** Lets Node end although the timer is pending; elsewhere a timer is a number, or cannot do this. */
export function letProcessEnd(handle: unknown): void {
  (handle as { unref?: () => void }).unref?.();
}

/** `setTimeout` takes no longer one: a later time is waited for in parts. */
const LONGEST = 2 ** 31 - 1;
