// The client for JavaScript: requests are promises, messages go to subscriptions.
/// <reference lib="esnext.disposable" preserve="true" />

import { areBrief, checked, checkText, payloadBytes } from './check.js';
import { MqttError } from './error.js';
import type { ClientEvents } from './events.js';
import type { Link } from './link.js';
import type { Message, MessageProperties, Payload, PublishOptions, QoS, RequestLimits } from './message.js';
import type { EndOptions, ServerProperties, SubscribeOptions } from './options.js';
import type { Answer, Closed } from './outcome.js';
import type { QuestionOptions } from './questions.js';
import { CLIENT_PUBLISH_OPTIONS, END_OPTIONS, QUESTION_OPTIONS, REQUEST_LIMITS, SUBSCRIBE_OPTIONS } from './shapes.js';
import type { ClientStatus } from './status.js';
import type { MessageHandler, Subscription } from './subscription.js';

/**
 * A client. It comes back when its connection is lost, and its subscriptions and what waits to be sent with it, until it ends:
 * because somebody called `end()`, or because the server or an option says that there is no coming back.
 */
export class Client implements AsyncDisposable {
  /** Resolves when the client has ended for good. Never rejects. */
  readonly ended: Promise<Closed>;
  readonly #link: Link;
  /** That of the last message, which was looked at. */
  #topic = '';

  /** @internal */
  constructor(link: Link) {
    this.#link = link;
    this.ended = link.ended;
  }

  /** The Client Identifier, which the server may have assigned: then it is empty until there was a connection. */
  get clientId(): string {
    return this.#link.welcome.clientId;
  }

  /** Whether the server had kept the session of this client when it connected last. */
  get sessionPresent(): boolean {
    return this.#link.welcome.sessionPresent;
  }

  /** What the server said when it accepted the last connection; nothing in 3.1.1. */
  get server(): ServerProperties {
    return this.#link.welcome.server;
  }

  get status(): ClientStatus {
    return this.#link.status;
  }

  /**
   * Publishes a message: at once, or when there is a connection. Resolves at QoS 0 when it was handed over, at QoS 1 and 2
   * when the server has acknowledged it; `interrupted` leaves open whether the server has it.
   * @throws MqttError `refused`, `interrupted`, `closed`, `aborted`, `timeout`, or what is wrong with the message.
   */
  publish(topic: string, payload: Payload, options: PublishOptions & RequestLimits = {}): Promise<Answer> {
    try {
      if (topic !== this.#topic) checkText('topic', topic);
      this.#topic = topic;
      const known = areBrief(options) ? options : checked(options, CLIENT_PUBLISH_OPTIONS);
      const { qos = 0, retain = false, properties } = known;
      const bytes = payloadBytes(payload);
      if (properties) this.#needMqtt5('properties');
      return this.#publish(topic, bytes, qos, retain, properties, known);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Subscribes to a filter, or to several: to all or to none. Messages go to `handler`, one after the other, and each is
   * acknowledged when its promise has resolved; without a handler they wait for `for await`. Resolves when the server has
   * granted the subscription, which then outlives its connection.
   * @throws MqttError `refused`, `closed`, `aborted`, `timeout`, `interrupted` by its own end, or what is wrong with a filter.
   */
  async subscribe(
    filters: string | readonly string[],
    options: SubscribeOptions | MessageHandler = {},
    handler?: MessageHandler,
  ): Promise<Subscription> {
    if (typeof options === 'function' && handler !== undefined) {
      throw new MqttError('invalid-options', 'The options come before the handler.');
    }
    const [said, take] = typeof options === 'function' ? [{}, options] : [options, handler];
    checked({ handler: take }, { handler: 'function' });
    const known = checked<SubscribeOptions>(said, SUBSCRIBE_OPTIONS);
    for (const name of MQTT_5_SUBSCRIBE_OPTIONS) if (known[name] && known[name] !== 'send') this.#needMqtt5(name);
    const { userProperties = [], identifier, manualAck, signal, timeout, ...subscriptionOptions } = known;
    return this.#link.routes.subscribe(toFilters(filters), {
      options: subscriptionOptions,
      properties: { userProperties, ...(identifier !== undefined && { subscriptionIdentifier: identifier }) },
      handler: take,
      manualAck,
      limits: toLimits(signal, timeout),
    });
  }

  /**
   * Ends all subscriptions of this client to these filters. Resolves when the server has answered.
   * @throws MqttError `refused`, `closed`, `aborted`, `timeout` or `invalid-options`.
   */
  async unsubscribe(filters: string | readonly string[], options: RequestLimits = {}): Promise<void> {
    const limits = checked(options, REQUEST_LIMITS);
    await this.#link.routes.unsubscribe(toFilters(filters), limits);
  }

  /**
   * Asks a question, and resolves with the first answer: whoever takes the message answers to its Response Topic, with its
   * Correlation Data. MQTT 5 only. Where topics are granted, the client needs `response/CLIENT/0`, with its Client Identifier, and
   * for QoS 1 and 2 `response/CLIENT/1`; instead of `response` it is what the server names when `requestResponseInformation` asks.
   * @throws MqttError `timeout`, `needs-mqtt-5`, `refused`: with the reason 0x10 where nobody has subscribed, `aborted`,
   * `interrupted`, `closed`, or what is wrong with the message.
   */
  async request(topic: string, payload: Payload, options: QuestionOptions = {}): Promise<Message> {
    checkText('topic', topic);
    const known = checked(options, QUESTION_OPTIONS);
    const bytes = payloadBytes(payload);
    const { qos = 0 } = known;
    return this.#link.questions.ask(topic, known, (properties, limits) => this.#publish(topic, bytes, qos, false, properties, limits));
  }

  /**
   * Calls `handler` whenever something happens, until the function that it returns is called.
   * @throws MqttError `invalid-options`.
   */
  on<N extends keyof ClientEvents>(event: N, handler: ClientEvents[N]): () => void {
    if (typeof handler !== 'function') throw new MqttError('invalid-options', 'handler must be a function.');
    if (!EVENTS.includes(event)) {
      throw new MqttError('invalid-options', `There is no event "${event}".`, { hint: `There are ${EVENTS.join(', ')}.` });
    }
    if (event === 'message') return this.#link.routes.listen(handler as MessageHandler);
    return this.#link.listeners.add(event, handler);
  }

  /** Tries to connect now, if the client waits to try again; otherwise does nothing. */
  reconnect(): void {
    this.#link.wake();
  }

  /**
   * Authenticates anew with the option `authentication`, such as before a grant runs out. Resolves when the server has accepted.
   * @throws MqttError `invalid-options` without that option, `interrupted` without a connection, or why the connection ended.
   */
  reauthenticate(): Promise<void> {
    return this.#link.authenticate();
  }

  /**
   * Says goodbye, closes the connection and ends the client. The will is not published unless `reason` is 0x04. The session
   * ends too, unless a Session Expiry Interval was asked for.
   * @throws MqttError `invalid-options`.
   */
  async end(options: EndOptions = {}): Promise<void> {
    const { reason = 0, sessionExpiryInterval } = checked(options, END_OPTIONS);
    await this.#link.end(reason, sessionExpiryInterval);
  }

  /** The same as `end()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  #publish(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    properties: MessageProperties | undefined,
    limits: RequestLimits,
  ): Promise<Answer> {
    this.#link.mustFit(payload);
    return this.#link.requests.publish(topic, payload, qos, retain, properties, limits);
  }
  /**
   * @throws MqttError `needs-mqtt-5`, where the server is spoken to in 3.1.1: it would not hear of it.
   */
  #needMqtt5(option: string): void {
    if (this.#link.hasProperties) return;
    throw new MqttError('needs-mqtt-5', `MQTT 3.1.1 has no "${option}".`);
  }
}

function toFilters(filters: string | readonly string[]): readonly string[] {
  const list = Array.isArray(filters) ? (filters as readonly string[]) : [filters as string];
  if (list.length === 0) throw new MqttError('invalid-options', 'There is no filter in the list.');
  for (const filter of list) checkText('filter', filter);
  return list;
}

function toLimits(signal: AbortSignal | undefined, timeout: number | undefined): RequestLimits {
  return { ...(signal && { signal }), ...(timeout !== undefined && { timeout }) };
}

const EVENTS: readonly (keyof ClientEvents)[] = ['status', 'message', 'packet', 'error'];

/** What 3.1.1 cannot say. */
const MQTT_5_SUBSCRIBE_OPTIONS = ['noLocal', 'retainAsPublished', 'retainHandling', 'identifier', 'userProperties'] as const;
