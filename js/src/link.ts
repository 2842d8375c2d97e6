// A client's connection: from promises to the engine's requests, from the engine's calls to promises and subscriptions.

import type { Artefact } from './artefact.js';
import { payloadBytes } from './check.js';
import { Runner } from './engine.js';
import { MqttError, type MqttErrorCode, report, sentence } from './error.js';
import type { ClientEngine, ClientGlue, ClientHost } from './glue/client.js';
import { Message, type MessageProperties, type QoS } from './message.js';
import type { ConnectOptions, ServerProperties } from './options.js';
import type { Answer, Closed } from './outcome.js';
import { type MessageHandler, Subscription } from './subscription.js';
import { SystemTimer } from './timer.js';
import { toBytes, type Transport } from './transport.js';

/** What the server said first. */
export interface Welcome {
  clientId: string;
  sessionPresent: boolean;
  server: ServerProperties;
}

interface Request {
  readonly what: () => string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: MqttError) => void;
}

/** The subscriptions to one filter. The server knows them as one, with this number as its identifier. */
interface Route {
  readonly number: number;
  readonly subscriptions: Set<Subscription>;
}

/** One connection: an engine, a transport, and who waits for what. */
export class Link {
  readonly closed: Promise<Closed>;
  #transport: Transport | undefined;
  readonly #artefact: Artefact<ClientGlue>;
  readonly #runner: Runner<ClientEngine>;
  readonly #authenticate: ConnectOptions['authenticate'];
  /** Takes what no subscription matches. */
  readonly #rest: Subscription | undefined;
  readonly #patience: number;
  readonly #welcome = deferred<Welcome>();
  readonly #end = deferred<Closed>();
  readonly #requests = new Map<number, Request>();
  readonly #routes = new Map<string, Route>();
  readonly #filters = new Map<number, string>();
  #lastToken = 0;
  #lastRoute = 0;

  constructor(artefact: Artefact<ClientGlue>, options: ConnectOptions) {
    const { authenticate, onMessage, clock = Date.now, timer, wasm: _, ...said } = options;
    this.#artefact = artefact;
    this.#authenticate = authenticate;
    if (onMessage) this.#rest = new Subscription('', onMessage, () => Promise.resolve());
    this.#patience = said.responseTimeoutMillis ?? PATIENCE;
    this.closed = this.#end.promise;
    this.#welcome.promise.catch(() => {}); // whoever opens it hears of it
    const engine = new artefact.glue.ClientEngine(this.#host(), {
      ...said,
      ...(said.password !== undefined && { password: payloadBytes(said.password) }),
      ...(said.will && { will: { ...said.will, payload: payloadBytes(said.will.payload ?? '') } }),
    });
    this.#runner = new Runner(engine, {
      artefact,
      clock,
      timer: timer ?? new SystemTimer(clock),
      failed: (error) => {
        this.#over({ cause: 'lost', message: error.message }, error);
        this.#hangUp();
        report(error);
      },
    });
  }

  /** Connects. Once only. */
  async open(transport: Transport): Promise<Welcome> {
    this.#transport = transport;
    let isClosed = false;
    transport.onclose = () => {
      isClosed = true;
      this.#lost();
    };
    transport.onmessage = ({ data }) => {
      const bytes = toBytes(data);
      if (bytes) return this.#runner.feed((engine, now) => engine.received(now, bytes));
      this.#hangUp();
      this.#lost();
    };
    const vigil = setInterval(() => {}, LONGEST_TIMEOUT); // keeps Node from ending while somebody waits
    try {
      await this.#opened(transport);
      if (isClosed) throw unreachable('it was closed at once');
      this.#runner.feed((engine, now) => engine.opened(now));
      return await this.#welcome.promise;
    } catch (error) {
      this.#over({ cause: 'lost', message: (error as MqttError).message }, error as MqttError);
      this.#hangUp();
      throw error;
    } finally {
      clearInterval(vigil);
    }
  }

  /** Asks something of the server, and waits for the answer. `what` is the subject of a sentence about it. */
  ask(what: () => string, request: (engine: ClientEngine, now: number, token: number) => void): Promise<Answer> {
    const token = (this.#lastToken += 1);
    return new Promise((resolve, reject) => {
      this.#requests.set(token, { what, resolve, reject });
      this.#runner
        .attempt((engine, now) => request(engine, now, token))
        .catch((error: MqttError) => {
          this.#requests.delete(token);
          reject(error);
        });
    });
  }

  async subscribe(filter: string, options: object, properties: object, handler?: MessageHandler): Promise<Subscription> {
    const subscription = new Subscription(filter, handler, (ended) => this.#leave(ended));
    const route = this.#routes.get(filter) ?? { number: (this.#lastRoute += 1), subscriptions: new Set() };
    this.#routes.set(filter, route);
    this.#filters.set(route.number, filter);
    route.subscriptions.add(subscription); // messages may come before the answer
    try {
      const { reason } = await this.ask(() => `The subscription to ${JSON.stringify(filter)}`, (engine, now, token) => {
        engine.subscribe(now, token, route.number, filter, options, properties);
      });
      subscription.granted(reason as QoS);
      return subscription;
    } catch (error) {
      this.#forget(subscription);
      throw error;
    }
  }

  async unsubscribe(filter: string): Promise<void> {
    for (const subscription of this.#routes.get(filter)?.subscriptions ?? []) this.#forget(subscription);
    const what = () => `The end of the subscription to ${JSON.stringify(filter)}`;
    await this.ask(what, (engine, now, token) => engine.unsubscribe(now, token, filter));
  }

  async disconnect(reason: number, sessionExpiryInterval: number | undefined): Promise<void> {
    const properties = sessionExpiryInterval === undefined ? undefined : { sessionExpiryInterval };
    await this.#runner.attempt((engine, now) => engine.disconnect(now, reason, properties)).catch((error: MqttError) => {
      if (error.code !== 'closed') throw error;
    });
  }

  /** Resolves when bytes can be sent. */
  async #opened(transport: Transport): Promise<void> {
    let limit: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(() => reject(new Error('it took too long')), Math.min(this.#patience, LONGEST_TIMEOUT));
    });
    try {
      await Promise.race([transport.opened, late]);
    } catch (cause) {
      throw unreachable(cause instanceof Error ? cause.message : String(cause), cause);
    } finally {
      clearTimeout(limit);
    }
  }

  #host(): ClientHost {
    return {
      send: (bytes) => this.#send(bytes.slice()),
      close: () => this.#hangUp(),
      connected: (sessionPresent, clientId, properties) => {
        this.#welcome.resolve({ sessionPresent, clientId, server: present(properties as ServerProperties) });
      },
      refused: (reason, properties) => this.#refused(reason, properties as ServerProperties),
      deliver: (subscriptions, topic, payload, qos, retain, dup, properties, delivery) => {
        const said = present((properties ?? {}) as MessageProperties);
        const message = new Message(topic, payload.slice(), qos as QoS, retain, dup, said);
        const matching = Array.from(subscriptions).flatMap((number) => [...this.#subscriptions(number)]);
        const takers = matching.length === 0 && this.#rest ? [this.#rest] : matching;
        this.#runner.defer(() => this.#deliver(takers, message, delivery));
      },
      answered: (token, reasons, properties) => {
        const said = present(properties as Omit<Answer, 'reason'>);
        const [reason = UNSPECIFIED_ERROR] = reasons; // each request has one filter
        this.#answered(this.#take(token), { reason, ...said });
      },
      failed: (token, code, message) => {
        this.#take(token)?.reject(new MqttError(code as MqttErrorCode, sentence(message)));
      },
      authenticate: (reason, properties) => {
        this.#runner.defer(() => void this.#answerChallenge(reason, properties as ServerProperties));
      },
      disconnected: (cause, reason, message, properties) => {
        const { serverReference } = (properties ?? {}) as ServerProperties;
        this.#over({
          cause: cause as Closed['cause'],
          message: sentence(message),
          ...(reason !== undefined && { reason }),
          ...(serverReference !== undefined && { serverReference }),
        });
      },
    };
  }

  #answered(request: Request | undefined, answer: Answer): void {
    const { reason, reasonString } = answer;
    if (!request || reason < UNSPECIFIED_ERROR) return request?.resolve(answer);
    const why = `${request.what()} was refused: ${this.#artefact.describeReason(reason)}.`;
    request.reject(new MqttError('refused', [why, ...explanation(reasonString)].join(' '), { reason }));
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#transport?.send(bytes);
    } catch {
      this.#hangUp();
      this.#lost();
    }
  }

  #hangUp(): void {
    try {
      this.#transport?.close();
    } catch (error) {
      report(error);
    }
  }

  #lost(): void {
    this.#runner.feed((engine, now) => engine.closed(now));
  }

  #refused(reason: number, { reasonString, serverReference }: ServerProperties): void {
    const why = [`The server refused the connection: ${this.#artefact.describeReason(reason)}.`, ...explanation(reasonString)];
    const hint = serverReference === undefined ? undefined : `It names another server: ${serverReference}.`;
    const error = new MqttError('refused', why.join(' '), { reason, hint });
    this.#over({ cause: 'server', reason, message: error.message }, error);
  }

  #over(closed: Closed, error?: MqttError): void {
    const { reason } = closed;
    error ??= new MqttError('closed', `The connection is over: ${closed.message}`, { reason });
    this.#welcome.reject(error);
    for (const { what, reject } of this.#requests.values()) {
      const message = `${what()} was under way when the connection ended. ${closed.message}`;
      reject(new MqttError('interrupted', message, { reason }));
    }
    this.#requests.clear();
    for (const { subscriptions } of this.#routes.values()) {
      for (const subscription of subscriptions) subscription.end({ isWanted: closed.cause !== 'requested' });
    }
    this.#routes.clear();
    this.#rest?.end({ isWanted: closed.cause !== 'requested' });
    if (this.#transport) this.#transport.onmessage = this.#transport.onclose = null;
    this.#end.resolve(closed);
    this.#runner.end(error);
  }

  #deliver(takers: readonly Subscription[], message: Message, delivery: number | undefined): void {
    let outstanding = takers.length;
    const done = () => {
      outstanding -= 1;
      if (outstanding > 0 || delivery === undefined) return;
      this.#runner.feed((engine, now) => engine.acknowledge(now, delivery));
    };
    for (const taker of takers) taker.take(message, once(done));
    if (takers.length === 0) done();
  }

  async #answerChallenge(reason: number, { authenticationData }: ServerProperties): Promise<void> {
    if (reason === SUCCESS) return;
    try {
      const data = await this.#authenticate?.(authenticationData);
      await this.#runner.attempt((engine, now) => engine.answerAuthentication(now, { authenticationData: data }));
    } catch (error) {
      report(error);
      await this.disconnect(UNSPECIFIED_ERROR, undefined);
    }
  }

  async #leave(subscription: Subscription): Promise<void> {
    const { filter } = subscription;
    this.#forget(subscription);
    if (!this.#routes.has(filter)) await this.unsubscribe(filter);
  }

  #forget(subscription: Subscription): void {
    const { filter } = subscription;
    const route = this.#routes.get(filter);
    subscription.end({ isWanted: false });
    if (!route?.subscriptions.delete(subscription) || route.subscriptions.size > 0) return;
    this.#routes.delete(filter);
    this.#filters.delete(route.number);
    this.#runner.feed((engine) => engine.forget(route.number, filter));
  }

  #subscriptions(number: number): Iterable<Subscription> {
    const filter = this.#filters.get(number);
    return (filter !== undefined && this.#routes.get(filter)?.subscriptions) || [];
  }

  #take(token: number): Request | undefined {
    const request = this.#requests.get(token);
    this.#requests.delete(token);
    return request;
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: MqttError) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve'];
  let reject!: Deferred<T>['reject'];
  const promise = new Promise<T>((resolves, rejects) => {
    resolve = resolves;
    reject = rejects;
  });
  return { promise, resolve, reject };
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}

/** The properties that there are. */
function present<T extends object>(properties: T): T {
  const isThere = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => isThere(value))) as T;
}

/** What the server said about it, as a sentence. */
function explanation(reasonString: string | undefined): string[] {
  return reasonString ? [sentence(reasonString)] : [];
}

function unreachable(why: string, cause?: unknown): MqttError {
  return new MqttError('unreachable', `There is no connection: ${why}.`, {
    cause,
    hint: 'Look whether the server runs, whether the address is right, and whether it offers the subprotocol mqtt.',
  });
}

/** Milliseconds that opening may take, unless the options say otherwise. */
const PATIENCE = 10_000;

/** Milliseconds: `setTimeout` takes no more. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

// Reason Codes; those from UNSPECIFIED_ERROR on are failures.
const SUCCESS = 0x00;
const UNSPECIFIED_ERROR = 0x80;
