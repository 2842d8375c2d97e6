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

/** A message that came. */
export class Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** Whether it was retained before this client subscribed; with `retainAsPublished`, as the publisher said. */
  readonly retain: boolean;
  /** Whether an earlier attempt to deliver it may have been made. */
  readonly dup: boolean;
  readonly properties: MessageProperties;

  constructor(topic: string, payload: Uint8Array, qos: QoS, retain: boolean, dup: boolean, properties: MessageProperties) {
    this.topic = topic;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.dup = dup;
    this.properties = properties;
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
}

/** What can be published: text is sent as UTF-8. */
export type Payload = string | Uint8Array | ArrayBuffer;

/** How a message is published. */
export interface PublishOptions {
  /** Default 0. */
  qos?: QoS;
  /** Whether the broker keeps the message for later subscribers. Default false. */
  retain?: boolean;
  /** MQTT 5 only. */
  properties?: MessageProperties;
}
