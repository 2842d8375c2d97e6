// The client for JavaScript: requests are promises, messages go to subscriptions.

import { checked, checkText, payloadBytes } from './check.js';
import type { Link, Welcome } from './link.js';
import type { Payload, PublishOptions } from './message.js';
import type { DisconnectOptions, ServerProperties, SubscribeOptions } from './options.js';
import type { Answer, Closed } from './outcome.js';
import { DISCONNECT_OPTIONS, PUBLISH_OPTIONS, SUBSCRIBE_OPTIONS } from './shapes.js';
import type { MessageHandler, Subscription } from './subscription.js';
import type { Connectable } from './transport.js';

/** A server's `ws:` or `wss:` address, or a connection to it: a WebSocket, MessagePort or any other transport. */
export type Server = string | URL | Connectable;

/** A connected client. Its session and its subscriptions last as long as its connection. */
export class Client {
  /** The Client Identifier, which the server may have assigned. */
  readonly clientId: string;
  /** Whether the server kept a session of this client. */
  readonly sessionPresent: boolean;
  /** What the server said when it accepted the connection; nothing in 3.1.1. */
  readonly server: ServerProperties;
  /** Resolves when the connection is over. Never rejects. */
  readonly closed: Promise<Closed>;
  readonly #link: Link;

  /** @internal */
  constructor(link: Link, { clientId, sessionPresent, server }: Welcome) {
    this.#link = link;
    this.clientId = clientId;
    this.sessionPresent = sessionPresent;
    this.server = server;
    this.closed = link.closed;
  }

  /**
   * Publishes a message. Resolves at QoS 0 when it was handed over, at QoS 1 and 2 when the server has acknowledged it;
   * `interrupted` leaves open whether the server has it.
   * @throws MqttError `refused`, `interrupted`, `closed`, or what is wrong with the message.
   */
  async publish(topic: string, payload: Payload, options: PublishOptions = {}): Promise<Answer> {
    checkText('topic', topic);
    const { qos = 0, retain = false, properties } = checked(options, PUBLISH_OPTIONS);
    const bytes = payloadBytes(payload);
    return this.#link.ask(() => `The message to ${JSON.stringify(topic)}`, (engine, now, token) => {
      engine.publish(now, token, topic, bytes, qos, retain, properties);
    });
  }

  /**
   * Subscribes to a filter. Messages go to `handler`, one after the other, and each is acknowledged when its promise has
   * resolved; without a handler they wait for `for await`. Resolves when the server has granted the subscription.
   * @throws MqttError `refused`, `interrupted`, `closed`, or what is wrong with the filter.
   */
  async subscribe(filter: string, options: SubscribeOptions | MessageHandler = {}, handler?: MessageHandler): Promise<Subscription> {
    const [said, take] = typeof options === 'function' ? [{}, options] : [options, handler];
    checked({ handler: take }, { handler: 'function' });
    checkText('filter', filter);
    const { userProperties = [], ...subscriptionOptions } = checked<SubscribeOptions>(said, SUBSCRIBE_OPTIONS);
    return this.#link.subscribe(filter, subscriptionOptions, { userProperties }, take);
  }

  /**
   * Ends all subscriptions of this client to a filter. Resolves when the server has answered.
   * @throws MqttError `refused`, `interrupted`, `closed`, or `invalid-options`.
   */
  async unsubscribe(filter: string): Promise<void> {
    checkText('filter', filter);
    await this.#link.unsubscribe(filter);
  }

  /**
   * Says goodbye and closes the connection. The will is not published unless `reason` is 0x04.
   * @throws MqttError `invalid-options`.
   */
  async disconnect(options: DisconnectOptions = {}): Promise<void> {
    const { reason = 0, sessionExpiryInterval } = checked(options, DISCONNECT_OPTIONS);
    await this.#link.disconnect(reason, sessionExpiryInterval);
  }
}
