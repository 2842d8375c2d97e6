// An Application Message, and what may be said beside it.

/** How hard a sender tries: 0 at most once, 1 at least once, 2 exactly once. */
export type QoS = 0 | 1 | 2;

/** A name and a value. Names may repeat, and the order is kept. */
export type UserProperty = [name: string, value: string];

/** The PUBLISH Properties of MQTT 5 (3.3.2.3). */
export interface MessageProperties {
  /** Whether the payload is UTF-8 text. */
  payloadFormatIndicator?: boolean;
  /** Seconds after which the message is of no use to anybody. */
  messageExpiryInterval?: number;
  /** The topic to answer to. */
  responseTopic?: string;
  /** What tells the asker which question an answer belongs to; at most 65,535 bytes. */
  correlationData?: Uint8Array;
  /** The type of the payload, such as `application/json`. */
  contentType?: string;
  userProperties?: UserProperty[];
}

/** What may be said beside a message that came. */
export interface ReceivedProperties extends MessageProperties {
  /** Those that `subscribe` was given as `identifier`, of all subscriptions that match. */
  subscriptionIdentifiers?: number[];
}

/** A message that came. */
export class Message {
  readonly topic: string;
  /**
   * It may begin anywhere in a buffer of up to 64 KB that has other messages too: use its `byteOffset` and `byteLength`, and copy what
   * you transfer, post, store or keep for long: `payload.slice()`.
   */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** Whether it was retained before this client subscribed; with `retainAsPublished`, as the publisher said. */
  readonly retain: boolean;
  /** Whether an earlier attempt to deliver it may have been made. */
  readonly dup: boolean;
  /**
   * The Packet Identifier at QoS 1 and 2, from 1 to 65,535: a message that was not acknowledged comes again with the same one, also
   * to another client with this session.
   */
  readonly packetIdentifier: number | undefined;
  readonly properties: ReceivedProperties;
  readonly #ack: () => void;

  /** @internal */
  constructor(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetIdentifier: number | undefined,
    properties: ReceivedProperties,
    ack: () => void,
  ) {
    this.topic = topic;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.dup = dup;
    this.packetIdentifier = packetIdentifier;
    this.properties = properties;
    this.#ack = ack;
  }

  /** The payload, by the name that the Web's own interfaces have for it. */
  get bytes(): Uint8Array {
    return this.payload;
  }

  /** The payload as text, all of it; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.payload);
  }

  /**
   * The payload as JSON.
   * @throws SyntaxError when it is none.
   */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /**
   * Acknowledges the message: with `manualAck` this is what does. Otherwise it is done by itself, when the handler's promise
   * has resolved or the loop asks for the next message. At QoS 0, and for the second time, it does nothing.
   */
  ack(): void {
    this.#ack();
  }
}

/**
 * What can be published: text is sent as UTF-8, an ArrayBuffer and every view as its bytes, and `null`, `true`, `false`, a
 * number, a list, a plain object or what has `toJSON` as JSON.
 */
export type Payload = string | ArrayBuffer | ArrayBufferView | null | boolean | number | object;

/** How a message is published. */
export interface PublishOptions {
  /** Default 0. */
  qos?: QoS;
  /** Whether the broker keeps the message for later subscribers. Default false. */
  retain?: boolean;
  /** MQTT 5 only. */
  properties?: MessageProperties;
}

/** How long a request may take. */
export interface RequestLimits {
  /** Gives up: what was not sent is not sent any more. The promise rejects with `aborted`. */
  signal?: AbortSignal;
  /** Milliseconds after which to give up likewise, with `timeout`. Default none: it waits for the connection. */
  timeout?: number;
}
