// How long a request may take, and what is said when it took longer.

import { MqttError } from './error.js';
import type { RequestLimits } from './message.js';
import type { Alarms, Clock } from './timer.js';

interface Outcome<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: MqttError) => void;
}

/** Sets the limits of requests. */
export class Limits {
  readonly #alarms: Alarms;
  readonly #clock: Clock;

  constructor(alarms: Alarms, clock: Clock) {
    this.#alarms = alarms;
    this.#clock = clock;
  }

  /**
   * Begins something that resolves or rejects within these limits. `begin` returns what gives it up, which tells whether nothing
   * was sent, and never will be. `what` is the subject of a sentence about it.
   * @throws MqttError `aborted` or `timeout`, or what `begin` says.
   */
  async keep<T>(what: () => string, { signal, timeout }: RequestLimits, begin: (outcome: Outcome<T>) => () => boolean): Promise<T> {
    if (signal?.aborted) throw givenUp('aborted', what, true, signal.reason);
    const alarm = timeout === undefined ? undefined : this.#alarms.alarm();
    let abort: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const giveUp = begin({ resolve, reject });
        abort = () => reject(givenUp('aborted', what, giveUp(), signal?.reason));
        signal?.addEventListener('abort', abort);
        alarm?.set(this.#clock() + (timeout ?? 0), () => reject(givenUp('timeout', what, giveUp())));
      });
    } finally {
      if (abort) signal?.removeEventListener('abort', abort);
      alarm?.clear();
    }
  }
}

function givenUp(code: 'aborted' | 'timeout', what: () => string, isUnsent: boolean, cause?: unknown): MqttError {
  const why = code === 'aborted' ? 'was aborted' : 'took too long';
  const sent = isUnsent ? 'It was not sent, and will not be.' : 'Whether the server has it, or will have it, is not known.';
  return new MqttError(code, `${what()} ${why}. ${sent}`, { cause });
}
