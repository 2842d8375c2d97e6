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
import { Volley } from './volley.js';

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
  /** By their tokens, which others get when these are over. */
  #requests: (Request | Volley | undefined)[] = [undefined];
  #free: number[] = [];
  readonly #isStored: boolean;
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
    return this.#limits.keep(what, limits, ({ resolve, reject }) => {
      const request: Request = { what, send, resolve, reject, ...persistence };
      const token = this.#enter(request);
      this.#begin(token, request);
      return () => this.#giveUp(token, request);
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
    if (limits.signal !== undefined || limits.timeout !== undefined) {
      return this.#limits.keep(() => subject(topic), limits, ({ resolve, reject }) => {
        const request = { what: topic, resolve, reject };
        const token = this.#stage(this.#gathering(), request, topic, payload, qos, retain, properties);
        return () => this.#giveUp(token, request);
      });
    }
    const staged = this.#gathering();
    if (qos > 0 || staged.isEmpty) {
      return new Promise((resolve, reject) => {
        this.#stage(staged, { what: topic, resolve, reject }, topic, payload, qos, retain, properties);
      });
    }
    const volley = (staged.volley ??= new Volley());
    return volley.add(this.#stage(staged, volley, topic, payload, qos, retain, properties), topic);
  }

  /** The messages to which one more can be added. */
  #gathering(): Staged {
    if (this.#staged && !this.#staged.isFull && this.#runner.isLast(this.#staged)) return this.#staged;
    const staged = new Staged({
      rejected: (token, error) => this.#reject(token, error),
      ended: () => staged.volley && this.#conclude(staged.volley),
    });
    this.#staged = staged;
    return staged;
  }

  /** Adds a message, and returns the token of its request. */
  #stage(
    staged: Staged,
    request: Request | Volley,
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    properties: MessageProperties | undefined,
  ): number {
    const isFirst = staged.isEmpty;
    const token = this.#enter(request);
    staged.add(token, topic, payload, qos, retain, properties);
    if (isFirst && this.#isStored) this.#runner.give(staged);
    else if (isFirst) this.#runner.giveSoon(staged);
    return token;
  }

  /** Those of a volley that wait for longer are requests of their own. */
  #conclude(volley: Volley): void {
    volley.end((token, topic) => {
      if (this.#requests[token] !== volley) return undefined;
      return new Promise((resolve, reject) => (this.#requests[token] = { what: topic, resolve, reject }));
    });
  }

  /** Returns the token. */
  #enter(request: Request | Volley): number {
    const token = this.#free.pop() ?? this.#requests.length;
    this.#requests[token] = request;
    return token;
  }

  #begin(token: number, request: Request): void {
    const { send } = request;
    if (!send) return;
    this.#runner.attempt((engine, now) => send(engine, now, token)).catch((error: MqttError) => {
      this.#take(token);
      request.reject(error);
    });
  }

  /** The server has got these messages, and has nothing to say of them. */
  published(tokens: Uint32Array): void {
    for (const token of tokens) {
      const request = this.#take(token);
      if (request instanceof Volley) request.done();
      else request?.resolve({ reason: SUCCESS });
    }
  }

  /** The server has answered. */
  answered(token: number, answer: Answer): void {
    const request = this.#take(token);
    if (request instanceof Volley) return request.done();
    const { reason, reasonString } = answer;
    if (!request || reason < UNSPECIFIED_ERROR) return request?.resolve(answer);
    const why = `${subject(request.what)} was refused: ${this.#artefact.describeReason(reason)}.`;
    request.reject(new MqttError('refused', [why, ...explanation(reasonString)].join(' '), { reason, reasonString, hint: reasonHint(reason) }));
  }

  /** It came to nothing. */
  failed(token: number, code: string, message: string): void {
    const request = this.#requests[token];
    const isMessage = request === undefined || request instanceof Volley;
    if (!isMessage && code === 'interrupted' && request.isWanted?.()) return this.#begin(token, request);
    this.#reject(token, new MqttError(code as MqttErrorCode, sentence(message)));
  }

  #reject(token: number, error: MqttError): void {
    const request = this.#take(token);
    if (request instanceof Volley) request.fail(token, error);
    else request?.reject(error);
  }

  /** The client has ended. */
  interruptAll({ message, reason }: Closed): void {
    for (const request of this.#requests) if (request instanceof Volley) this.#conclude(request);
    for (const request of this.#requests as (Request | undefined)[]) {
      request?.reject(new MqttError('interrupted', `${subject(request.what)} was under way when the client ended. ${message}`, { reason, hint: 'Connect again, and repeat it if repeating does no harm.' }));
    }
    this.#forget();
  }

  /** Whether it was not sent, and never will be. Until the engine has said what became of it, nobody else gets its token. */
  #giveUp(token: number, request: Request): boolean {
    if (this.#requests[token] !== request) return false;
    const { what, late } = request;
    const reject = (error: MqttError) => error.code === 'interrupted' && late?.();
    const given: Request = late ? { ...request, resolve: late, reject } : { what, resolve: () => {}, reject };
    this.#requests[token] = given;
    let isCancelled = false;
    this.#runner.feed((engine, now) => {
      isCancelled = engine.cancel(now, token);
      if (isCancelled) this.#take(token);
    });
    return isCancelled;
  }

  #take(token: number): Request | Volley | undefined {
    const request = this.#requests[token];
    if (!request) return undefined;
    this.#requests[token] = undefined;
    this.#free.push(token);
    if (this.#free.length === this.#requests.length - 1 && this.#free.length > MANY) this.#forget();
    return request;
  }

  /** Many wait where there is no connection, and then none does. */
  #forget(): void {
    this.#requests = [undefined];
    this.#free = [];
  }
}

function subject(what: Request['what']): string {
  return typeof what === 'string' ? `The message to ${JSON.stringify(what)}` : what();
}

/** What the server said about it, as a sentence. */
export function explanation(reasonString: string | undefined): string[] {
  return reasonString ? [sentence(reasonString)] : [];
}

/** Requests at a time that are worth no memory afterwards. */
const MANY = 1_024;

// Reason Codes; those from UNSPECIFIED_ERROR on are failures.
const SUCCESS = 0;
const UNSPECIFIED_ERROR = 0x80;
