// What a client has asked of the server: from promises to the engine's tokens, and back.

import type { Artefact } from './artefact.js';
import type { Runner } from './engine.js';
import { MqttError, type MqttErrorCode, sentence } from './error.js';
import { reasonHint } from './hints.js';
import type { ClientEngine } from './glue/client.js';
import type { Limits } from './limits.js';
import type { RequestLimits } from './message.js';
import type { Answer, Closed } from './outcome.js';

interface Request extends Persistence {
  readonly what: () => string;
  readonly send: (engine: ClientEngine, now: number, token: number) => void;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: MqttError) => void;
}

/** What is done about a request that does no harm when it is done twice. */
export interface Persistence {
  /** Whether it is to be sent again, after a connection has ended before the answer came. */
  readonly isWanted?: () => boolean;
  /** Nobody waits for it any more, and the server has done it, or may have. */
  readonly late?: () => void;
}

/** The requests of one client. */
export class Requests {
  readonly #artefact: Artefact;
  readonly #runner: Runner<ClientEngine>;
  readonly #limits: Limits;
  readonly #requests = new Map<number, Request>();
  #lastToken = 0;

  constructor(artefact: Artefact, runner: Runner<ClientEngine>, limits: Limits) {
    this.#artefact = artefact;
    this.#runner = runner;
    this.#limits = limits;
  }

  /**
   * Asks something of the server, and waits for the answer. `what` is the subject of a sentence about it.
   * @throws MqttError what the engine says, `refused`, `interrupted`, `closed`, `aborted` or `timeout`.
   */
  ask(what: () => string, limits: RequestLimits, send: Request['send'], persistence: Persistence = {}): Promise<Answer> {
    const token = (this.#lastToken += 1);
    return this.#limits.keep(what, limits, ({ resolve, reject }) => {
      this.#begin(token, { what, send, resolve, reject, ...persistence });
      return () => this.#giveUp(token);
    });
  }

  #begin(token: number, request: Request): void {
    this.#requests.set(token, request);
    this.#runner.attempt((engine, now) => request.send(engine, now, token)).catch((error: MqttError) => {
      this.#requests.delete(token);
      request.reject(error);
    });
  }

  /** The server has answered. */
  answered(token: number, answer: Answer): void {
    const request = this.#take(token);
    const { reason, reasonString } = answer;
    if (!request || reason < UNSPECIFIED_ERROR) return request?.resolve(answer);
    const why = `${request.what()} was refused: ${this.#artefact.describeReason(reason)}.`;
    request.reject(new MqttError('refused', [why, ...explanation(reasonString)].join(' '), { reason, reasonString, hint: reasonHint(reason) }));
  }

  /** It came to nothing. */
  failed(token: number, code: string, message: string): void {
    const request = this.#take(token);
    if (request && code === 'interrupted' && request.isWanted?.()) return this.#begin(token, request);
    request?.reject(new MqttError(code as MqttErrorCode, sentence(message)));
  }

  /** The client has ended. */
  interruptAll({ message, reason }: Closed): void {
    for (const { what, reject } of this.#requests.values()) {
      reject(new MqttError('interrupted', `${what()} was under way when the client ended. ${message}`, { reason, hint: 'Connect again, and repeat it if repeating does no harm.' }));
    }
    this.#requests.clear();
  }

  /** Whether it was not sent, and never will be. */
  #giveUp(token: number): boolean {
    const request = this.#take(token);
    let isCancelled = false;
    this.#runner.feed((engine, now) => (isCancelled = engine.cancel(now, token)));
    const { late } = request ?? {};
    if (request && late && !isCancelled) {
      const reject = (error: MqttError) => error.code === 'interrupted' && late();
      this.#requests.set(token, { what: request.what, send: request.send, resolve: late, reject });
    }
    return isCancelled;
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

/** A Reason Code; those from this one on are failures. */
const UNSPECIFIED_ERROR = 0x80;
