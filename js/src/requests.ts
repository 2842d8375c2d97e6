// What a client has asked of the server: from promises to the engine's tokens, and back.

import type { Artefact } from './artefact.js';
import type { Runner } from './engine.js';
import { MqttError, type MqttErrorCode, sentence } from './error.js';
import type { ClientEngine } from './glue/client.js';
import type { RequestLimits } from './message.js';
import type { Answer, Closed } from './outcome.js';
import type { Alarms, Clock } from './timer.js';

interface Request {
  readonly what: () => string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: MqttError) => void;
}

/** The requests of one client. */
export class Requests {
  readonly #artefact: Artefact;
  readonly #runner: Runner<ClientEngine>;
  readonly #alarms: Alarms;
  readonly #clock: Clock;
  readonly #requests = new Map<number, Request>();
  #lastToken = 0;

  constructor(artefact: Artefact, runner: Runner<ClientEngine>, alarms: Alarms, clock: Clock) {
    this.#artefact = artefact;
    this.#runner = runner;
    this.#alarms = alarms;
    this.#clock = clock;
  }

  /**
   * Asks something of the server, and waits for the answer. `what` is the subject of a sentence about it.
   * @throws MqttError what the engine says, `refused`, `interrupted`, `closed`, `aborted` or `timeout`.
   */
  async ask(
    what: () => string,
    { signal, timeout }: RequestLimits,
    request: (engine: ClientEngine, now: number, token: number) => void,
  ): Promise<Answer> {
    if (signal?.aborted) throw givenUp('aborted', what, true, signal.reason);
    const token = (this.#lastToken += 1);
    const alarm = timeout === undefined ? undefined : this.#alarms.alarm();
    const abort = () => this.#giveUp(token, 'aborted', signal?.reason);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#requests.set(token, { what, resolve, reject });
        signal?.addEventListener('abort', abort);
        alarm?.set(this.#clock() + (timeout ?? 0), () => this.#giveUp(token, 'timeout'));
        this.#runner.attempt((engine, now) => request(engine, now, token)).catch((error: MqttError) => {
          this.#requests.delete(token);
          reject(error);
        });
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      alarm?.clear();
    }
  }

  /** The server has answered. */
  answered(token: number, answer: Answer): void {
    const request = this.#take(token);
    const { reason, reasonString } = answer;
    if (!request || reason < UNSPECIFIED_ERROR) return request?.resolve(answer);
    const why = `${request.what()} was refused: ${this.#artefact.describeReason(reason)}.`;
    request.reject(new MqttError('refused', [why, ...explanation(reasonString)].join(' '), { reason }));
  }

  /** It came to nothing. */
  failed(token: number, code: string, message: string): void {
    this.#take(token)?.reject(new MqttError(code as MqttErrorCode, sentence(message)));
  }

  /** The client has ended. */
  interruptAll({ message, reason }: Closed): void {
    for (const { what, reject } of this.#requests.values()) {
      reject(new MqttError('interrupted', `${what()} was under way when the client ended. ${message}`, { reason, hint: 'Connect again, and repeat it if repeating does no harm.' }));
    }
    this.#requests.clear();
  }

  #giveUp(token: number, code: 'aborted' | 'timeout', cause?: unknown): void {
    const request = this.#take(token);
    if (!request) return;
    request.reject(givenUp(code, request.what, false, cause));
  }

  #take(token: number): Request | undefined {
    const request = this.#requests.get(token);
    this.#requests.delete(token);
    return request;
  }
}

/** What the server said about it, as a sentence. */
export function explanation(reasonString: string | undefined): string[] {
  return reasonString ? [sentence(reasonString)] : [];
}

function givenUp(code: 'aborted' | 'timeout', what: () => string, isUnsent: boolean, cause?: unknown): MqttError {
  const why = code === 'aborted' ? 'was aborted' : 'took too long';
  const sent = isUnsent ? 'It was not sent, and will not be.' : 'Whether the server has it, or will have it, is not known.';
  return new MqttError(code, `${what()} ${why}. ${sent}`, { cause });
}

/** A Reason Code; those from this one on are failures. */
const UNSPECIFIED_ERROR = 0x80;
