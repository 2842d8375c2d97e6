// Time that stands still until a test moves it. Knows no MQTT.

import { MqttError } from '../error.js';
import type { Clock, Timer } from '../timer.js';
import { isMoving } from '../transport.js';
import { mustBeWhole } from './check.js';

interface Alarm {
  readonly at: number;
  /** When it was set. */
  readonly setAt: number;
  readonly call: () => void;
}

/** The time of a test broker and its clients: it stands still until `advance`. */
export class TestClock {
  readonly #start: number;
  #now: number;
  /** In the order in which they were set. */
  readonly #alarms = new Map<Timer, Alarm>();
  #last: Promise<unknown> = Promise.resolve();
  /** Grows with all that happens. */
  #stirred = 0;

  /** @internal */
  constructor(start: number) {
    this.#start = this.#now = start;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since the test broker was opened. */
  get elapsed(): number {
    return this.#now - this.#start;
  }

  /** The options `clock` and `timer` for one more broker or client that is to live in this time. */
  options(): { clock: Clock; timer: Timer } {
    return { clock: () => this.#now, timer: this.timer() };
  }

  /** One more alarm. */
  timer(): Timer {
    const timer: Timer = {
      set: (at, call) => {
        this.stir();
        this.#alarms.delete(timer);
        this.#alarms.set(timer, { at, setAt: this.#now, call });
      },
      clear: () => void this.#alarms.delete(timer),
    };
    return timer;
  }

  /**
   * Resolves when so many milliseconds have passed here.
   * @throws MqttError `invalid-options`.
   */
  async sleep(milliseconds: number): Promise<void> {
    mustBeWhole('milliseconds', milliseconds);
    await new Promise<void>((resolve) => this.timer().set(this.#now + milliseconds, resolve));
  }

  /**
   * Lets so many milliseconds pass. What falls due is done in its order, each at its own time and with all that follows from it
   * before the next; then this resolves. What takes real time, such as a request of yours to a server, is not waited for.
   * @throws MqttError `invalid-options`, or `busy` where things fall due without end at one time.
   */
  async advance(milliseconds: number): Promise<void> {
    mustBeWhole('milliseconds', milliseconds);
    const advanced = this.#last.then(() => this.#advance(milliseconds));
    this.#last = advanced.catch(() => {});
    return advanced;
  }

  /**
   * Lets everything happen that is under way between the broker and its clients, without any time passing.
   * @throws MqttError `busy` where that has no end.
   */
  async settle(): Promise<void> {
    for (let quiet = 0, lively = 0; quiet < QUIET_TURNS; ) {
      const before = this.#stirred;
      await turn();
      if (before !== this.#stirred) lively += 1;
      if (lively === MOST_TURNS) throw new MqttError('busy', 'The clients and the broker do not come to rest.');
      quiet = before === this.#stirred && !isMoving() ? quiet + 1 : 0;
    }
  }

  /** @internal Something happened: more may follow. */
  stir(): void {
    this.#stirred += 1;
  }

  async #advance(milliseconds: number): Promise<void> {
    await this.settle();
    const end = this.#now + milliseconds;
    let atOnce = 0;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [timer, { at, setAt, call }] = next;
      if (at > this.#now) atOnce = 0;
      if (at <= setAt && (atOnce += 1) > MOST_AT_ONCE) {
        throw new MqttError('busy', 'What falls due has no end, although no time passes.', {
          hint: 'A client that may reconnect without a delay does so for ever while it is refused.',
        });
      }
      this.#alarms.delete(timer);
      this.#now = Math.max(this.#now, at);
      call();
      await this.settle();
    }
    this.#now = end;
  }

  /** The alarm that is due first; of several the one that was set first. */
  #next(end: number): [Timer, Alarm] | undefined {
    let first: [Timer, Alarm] | undefined;
    for (const entry of this.#alarms) {
      if (entry[1].at <= end && (!first || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }
}

/** Lets promises settle, and what else the platform has to do. It waits for no timer: tests put others in their place. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Turns without anything that make sure that nothing follows. */
const QUIET_TURNS = 3;
/** Turns in which something happened; each may take some milliseconds. */
const MOST_TURNS = 1_000;
/** Alarms that are due when they are set. */
const MOST_AT_ONCE = 1_000;
