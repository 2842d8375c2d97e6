// The timer of a page, which comes in time while the page is hidden too. Knows no MQTT.

import { type Clock, SystemTimer, type Timer } from './timer.js';

/**
 * The platform's timer; but while the page is hidden, where browsers wake it once a minute, and somebody needs it in time, that
 * of a Worker, which they do not slow down. Where a Content-Security-Policy allows no such Worker, the platform's timer has to do.
 */
export class PageTimer implements Timer {
  readonly #clock: Clock;
  readonly #system: SystemTimer;
  readonly #moved = () => this.#arm();
  #isNeeded = false;
  #due: { at: number; call: () => void } | undefined;
  #worker: Worker | undefined;
  #address: string | undefined;
  #isForbidden = false;
  /** Waits until the page is not just being left, when it is hidden too. */
  #hiding: ReturnType<typeof setTimeout> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#system = new SystemTimer(clock);
    globalThis.document?.addEventListener('visibilitychange', this.#moved);
  }

  /** Whether a minute late is too late. */
  set isNeeded(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
    this.#arm();
  }

  set(at: number, call: () => void): void {
    this.#due = { at, call };
    this.#arm();
  }

  clear(): void {
    this.#due = undefined;
    this.#arm();
  }

  /** It is not used any more. */
  end(): void {
    globalThis.document?.removeEventListener('visibilitychange', this.#moved);
    this.#isNeeded = false;
    this.clear();
  }

  #arm(): void {
    const isHidden = this.#isNeeded && globalThis.document?.visibilityState === 'hidden';
    const worker = isHidden ? this.#worker : this.#dismiss();
    if (isHidden && !worker && !this.#isForbidden) this.#hiding ??= setTimeout(() => this.#hire(), SETTLED);
    if (!this.#due || worker) this.#system.clear();
    else this.#system.set(this.#due.at, () => this.#ring());
    worker?.postMessage(this.#due ? Math.max(this.#due.at - this.#clock(), 0) : null);
  }

  #ring(): void {
    const due = this.#due;
    if (!due) return;
    if (this.#clock() < due.at) return this.#arm();
    this.#due = undefined;
    due.call();
  }

  #hire(): void {
    this.#hiding = undefined;
    try {
      this.#address = URL.createObjectURL(new Blob([SCRIPT], { type: 'text/javascript' }));
      this.#worker = new Worker(this.#address);
      this.#worker.onmessage = () => this.#ring();
      this.#worker.onerror = () => this.#forbidden();
    } catch {
      this.#isForbidden = true;
      this.#dismiss();
    }
    this.#arm();
  }

  #dismiss(): undefined {
    clearTimeout(this.#hiding);
    this.#hiding = undefined;
    this.#worker?.terminate();
    this.#worker = undefined;
    if (this.#address !== undefined) URL.revokeObjectURL(this.#address);
    this.#address = undefined;
  }

  /** Browsers tell only afterwards. */
  #forbidden(): void {
    this.#isForbidden = true;
    this.#dismiss();
    this.#arm();
  }
}

/** Hears in how many milliseconds it is to answer, or `null`; a time that is too long for a timer is asked for again. */
const SCRIPT = `let timer;
onmessage = ({ data }) => {
  clearTimeout(timer);
  if (data !== null) timer = setTimeout(() => postMessage(0), Math.min(data, ${2 ** 31 - 1}));
};`;

/** Milliseconds. */
const SETTLED = 1_000;
