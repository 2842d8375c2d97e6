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

/** Lets Node end although the timer is pending; elsewhere a timer is a number, or cannot do this. */
export function letProcessEnd(handle: unknown): void {
  (handle as { unref?: () => void }).unref?.();
}

/** `setTimeout` takes no longer one: a later time is waited for in parts. */
const LONGEST = 2 ** 31 - 1;
