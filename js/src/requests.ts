// What a client has asked of the server: from promises to the engine's tokens, and back.

import type { Artefact } from './artefact.js';
import type { Runner } from './engine.js';
import { MqttError, type MqttErrorCode, sentence } from './error.js';
import { reasonHint } from './hints.js';
import type { ClientEngine } from './glue/client.js';
import type { Limits } from './limits.js';
import type { MessageProperties, QoS, RequestLimits } from './message.js';
import type { Answer, Closed } from './outcome.js';
import { Staged } from './staged.js';

type Send = (engine: ClientEngine, now: number, token: number) => void;

interface Request extends Persistence {
  /** The subject of a sentence about it, or the topic of a message. */
  readonly what: (() => string) | string;
  /** Absent of a message: it is sent once. */
  readonly send?: Send;
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
  readonly #isStored: boolean;
  #lastToken = 0;
  /** The messages that gather. */
  #staged: Staged | undefined;

  /** `isStored`: what is published is on its way to a storage when `publish` returns. */
  constructor(artefact: Artefact, runner: Runner<ClientEngine>, limits: Limits, isStored: boolean) {
    this.#artefact = artefact;
    this.#runner = runner;
    this.#limits = limits;
    this.#isStored = isStored;
  }

  /**
   * Asks something of the server, and waits for the answer. `what` is the subject of a sentence about it.
   * @throws MqttError what the engine says, `refused`, `interrupted`, `closed`, `aborted` or `timeout`.
   */
  ask(what: () => string, limits: RequestLimits, send: Send, persistence: Persistence = {}): Promise<Answer> {
    const token = (this.#lastToken += 1);
    return this.#limits.keep(what, limits, ({ resolve, reject }) => {
      this.#begin(token, { what, send, resolve, reject, ...persistence });
      return () => this.#giveUp(token);
    });
  }

  /**
   * Publishes a message. What is published in one turn goes to the engine, and out, as one.
   * @throws MqttError as `ask` does.
   */
  publish(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    properties: MessageProperties | undefined,
    limits: RequestLimits,
  ): Promise<Answer> {
    const token = (this.#lastToken += 1);
    const begin = (resolve: Request['resolve'], reject: Request['reject']) => {
      this.#requests.set(token, { what: topic, resolve, reject });
      this.#stage(token, topic, payload, qos, retain, properties);
    };
    if (limits.signal === undefined && limits.timeout === undefined) return new Promise(begin);
    return this.#limits.keep(() => subject(topic), limits, ({ resolve, reject }) => {
      begin(resolve, reject);
      return () => this.#giveUp(token);
    });
  }

  #stage(token: number, topic: string, payload: Uint8Array, qos: QoS, retain: boolean, properties: MessageProperties | undefined): void {
    let staged = this.#staged;
    if (staged && !staged.isFull && this.#runner.isLast(staged)) return staged.add(token, topic, payload, qos, retain, properties);
    staged = this.#staged = new Staged((refused, error) => this.#take(refused)?.reject(error));
    staged.add(token, topic, payload, qos, retain, properties);
    if (this.#isStored) this.#runner.give(staged);
    else this.#runner.giveSoon(staged);
  }

  #begin(token: number, request: Request): void {
    const { send } = request;
    this.#requests.set(token, request);
    if (!send) return;
    this.#runner.attempt((engine, now) => send(engine, now, token)).catch((error: MqttError) => {
      this.#requests.delete(token);
      request.reject(error);
    });
  }

  /** The server has got these messages, and has nothing to say of them. */
  published(tokens: Uint32Array): void {
    for (const token of tokens) this.#take(token)?.resolve({ reason: SUCCESS });
  }

  /** The server has answered. */
  answered(token: number, answer: Answer): void {
    const request = this.#take(token);
    const { reason, reasonString } = answer;
    if (!request || reason < UNSPECIFIED_ERROR) return request?.resolve(answer);
    const why = `${subject(request.what)} was refused: ${this.#artefact.describeReason(reason)}.`;
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
      reject(new MqttError('interrupted', `${subject(what)} was under way when the client ended. ${message}`, { reason, hint: 'Connect again, and repeat it if repeating does no harm.' }));
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
      this.#requests.set(token, { ...request, resolve: late, reject });
    }
    return isCancelled;
  }

  #take(token: number): Request | undefined {
    const request = this.#requests.get(token);
    this.#requests.delete(token);
    return request;
  }
}

function subject(what: Request['what']): string {
  return typeof what === 'string' ? `The message to ${JSON.stringify(what)}` : what();
}

/** What the server said about it, as a sentence. */
export function explanation(reasonString: string | undefined): string[] {
  return reasonString ? [sentence(reasonString)] : [];
}

// Reason Codes; those from UNSPECIFIED_ERROR on are failures.
const SUCCESS = 0;
const UNSPECIFIED_ERROR = 0x80;
