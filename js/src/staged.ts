// Messages that are published in one turn, as the engine takes them: all in one call.

import type { Input } from './engine.js';
import type { MqttError } from './error.js';
import type { ClientEngine } from './glue/client.js';
import type { MessageProperties, QoS, UserProperty } from './message.js';
import type { Volley } from './volley.js';

/** What becomes of them. */
export interface StagedHooks {
  /** The engine is not to have this one. */
  rejected(token: number, error: MqttError): void;
  /** The engine has said what it says of them at once, or will say nothing. */
  ended(): void;
}

/** An input that grows as long as it is the last. */
export class Staged implements Input<ClientEngine> {
  /** Those of QoS 0 that share what becomes of them. */
  volley: Volley | undefined;
  /** Four numbers of each message, as the engine has them. */
  #messages = spareNumbers;
  #count = 0;
  readonly #properties: MessageProperties[] = [];
  readonly #hooks: StagedHooks;
  #bytes = spare;
  #length = 0;
  #topic: string | undefined;

  constructor(hooks: StagedHooks) {
    this.#hooks = hooks;
    spare = NOTHING;
    spareNumbers = NO_NUMBERS;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether it is large enough to be sent by itself. */
  get isFull(): boolean {
    return this.#length > FULL;
  }

  add(token: number, topic: string, payload: Uint8Array, qos: QoS, retain: boolean, properties: MessageProperties | undefined): void {
    let flags = (LEVELS.includes(qos) ? qos : NO_QOS) | (retain ? RETAIN : 0);
    let topicLength = 0;
    this.#makeRoom(topic.length * LONGEST_CHARACTER + payload.length);
    if (topic === this.#topic) {
      flags |= SAME_TOPIC;
    } else {
      topicLength = UTF_8.encodeInto(topic, this.#bytes.subarray(this.#length)).written;
      this.#length += topicLength;
      this.#topic = topic;
    }
    this.#bytes.set(payload, this.#length);
    this.#length += payload.length;
    if (properties) {
      flags |= HAS_PROPERTIES;
      this.#properties.push(copied(properties));
    }
    const messages = this.#messages;
    const at = this.#count;
    messages[at] = token;
    messages[at + 1] = flags;
    messages[at + 2] = topicLength;
    messages[at + 3] = payload.length;
    this.#count = at + NUMBERS;
  }

  run(engine: ClientEngine, now: number): void {
    const properties = this.#properties.length > 0 ? this.#properties : undefined;
    engine.publish(now, this.#messages.subarray(0, this.#count), this.#bytes.subarray(0, this.#length), properties);
    if (this.#bytes.length <= LONGEST_SPARE) spare = this.#bytes;
    if (this.#messages.length <= MOST_SPARE) spareNumbers = this.#messages;
    this.#hooks.ended();
  }

  refuse(error: MqttError): void {
    for (let at = 0; at < this.#count; at += NUMBERS) this.#hooks.rejected(this.#messages[at] as number, error);
    this.#hooks.ended();
  }

  #makeRoom(size: number): void {
    if (this.#count === this.#messages.length) {
      const more = new Uint32Array(Math.max(2 * this.#count, FEWEST));
      more.set(this.#messages);
      this.#messages = more;
    }
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, needed, SHORTEST));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** As they are now: whoever publishes may use the same bytes and lists again. */
function copied(properties: MessageProperties): MessageProperties {
  const { correlationData, userProperties } = properties;
  return {
    ...properties,
    ...(correlationData && { correlationData: correlationData.slice() }),
    ...(userProperties && { userProperties: userProperties.map(([name, value]): UserProperty => [name, value]) }),
  };
}

const NOTHING = new Uint8Array();

const NO_NUMBERS = new Uint32Array();

/** The room of one that is over, for the next. */
let spare = NOTHING;
let spareNumbers = NO_NUMBERS;

const UTF_8 = new TextEncoder();
/** Bytes for each unit of a string's length. */
const LONGEST_CHARACTER = 3;

const LEVELS: readonly QoS[] = [0, 1, 2];

/** Numbers of a message. */
const NUMBERS = 4;
const FEWEST = 16 * NUMBERS;
const MOST_SPARE = 1 << 14;

// Flags of a message.
const NO_QOS = 3;
const RETAIN = 4;
const SAME_TOPIC = 8;
const HAS_PROPERTIES = 16;

// Bytes.
const FULL = 1 << 16;
const SHORTEST = 1 << 12;
const LONGEST_SPARE = 1 << 18;
