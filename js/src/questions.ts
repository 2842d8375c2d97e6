// Request and response (4.10): questions that a client asks of others, and the answers that come to its response topic.

import { MqttError } from './error.js';
import type { Limits } from './limits.js';
import type { Message, MessageProperties, QoS, RequestLimits } from './message.js';
import type { Answer } from './outcome.js';

/** How a question is asked. */
export interface QuestionOptions extends RequestLimits {
  /** Milliseconds that the answer may take, and all that goes before it. Default 10,000. */
  timeout?: number;
  /**
   * Of the question, and of what becomes of the answer: with 1 or 2 it outlives a lost connection, but waits its turn behind the
   * messages that handlers have not dealt with, so that a handler must not wait for it. Default 0.
   */
  qos?: QoS;
  /** Of the question: Response Topic and Correlation Data are the client's to say. */
  properties?: Omit<MessageProperties, 'responseTopic' | 'correlationData'>;
}

/** What it takes to ask. */
export interface Asker {
  readonly limits: Limits;
  /** Resolves when there was a connection. */
  readonly connected: Promise<void>;
  /** Of the last connection. */
  readonly welcome: { clientId: string; server: { responseInformation?: string } };
  /** Whether this is MQTT 5. */
  readonly hasProperties: boolean;
  /** `ended` is called when there is no such subscription any more. */
  subscribe(filter: string, qos: 0 | 1, handler: (message: Message) => void, ended: () => void): Promise<unknown>;
}

/** Publishes the question. */
type Publish = (properties: MessageProperties, limits: RequestLimits) => Promise<Answer>;

interface Question {
  readonly resolve: (message: Message) => void;
  readonly reject: (error: MqttError) => void;
}

/** The questions of one client. Those of QoS 0 share a response topic, and the others do: each is subscribed to with the first of them. */
export class Questions {
  readonly #asker: Asker;
  readonly #open = new Map<string, Question>();
  readonly #topics = new Map<0 | 1, Promise<string>>();

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /**
   * Asks, and resolves with the first answer.
   * @throws MqttError `needs-mqtt-5`, `timeout`, `aborted`, `interrupted`, `closed`, or `refused` by the server: with 0x10 when
   * nobody has subscribed to the topic of the question.
   */
  ask(topic: string, { timeout = PATIENCE, signal, properties, qos }: QuestionOptions, publish: Publish): Promise<Message> {
    const what = () => `The question to ${JSON.stringify(topic)}`;
    const correlationData = crypto.getRandomValues(new Uint8Array(16));
    const key = toKey(correlationData);
    return this.#asker.limits.keep<Message>(what, { timeout, ...(signal && { signal }) }, ({ resolve, reject }) => {
      const controller = new AbortController();
      this.#open.set(key, { resolve, reject });
      const ask = async () => {
        const responseTopic = await this.#listen(qos ? 1 : 0);
        if (controller.signal.aborted) return;
        const { reason } = await publish({ ...properties, responseTopic, correlationData }, { signal: controller.signal });
        if (reason !== NO_MATCHING_SUBSCRIBERS) return;
        throw new MqttError('refused', `${what()} reached nobody: no client has subscribed to that topic.`, { reason });
      };
      ask().catch((error: MqttError) => this.#open.delete(key) && reject(error));
      return () => {
        this.#open.delete(key);
        controller.abort();
        return false;
      };
    });
  }

  /** The client has ended. */
  end(error: MqttError): void {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }

  /** The topic for answers, once it is subscribed to. */
  #listen(qos: 0 | 1): Promise<string> {
    const known = this.#topics.get(qos);
    if (known) return known;
    const topic = this.#subscribe(qos).catch((error: unknown) => {
      this.#topics.delete(qos);
      throw error;
    });
    this.#topics.set(qos, topic);
    return topic;
  }

  async #subscribe(qos: 0 | 1): Promise<string> {
    await this.#asker.connected; // then it is clear which version this is, and who the client is
    if (!this.#asker.hasProperties) throw needsMqtt5();
    const topic = `${responseTopic(this.#asker.welcome)}/${qos}`;
    await this.#asker.subscribe(topic, qos, (message) => this.#answered(message), () => this.#topics.delete(qos));
    return topic;
  }

  /** An answer that is late, or to a question that nobody here asked, is left alone. */
  #answered(message: Message): void {
    const key = toKey(message.properties.correlationData ?? new Uint8Array());
    this.#open.get(key)?.resolve(message);
    this.#open.delete(key);
  }
}

/** The server knows which topics a client may use for answers, if it says so; otherwise it is one that names the client. */
function responseTopic({ clientId, server }: Asker['welcome']): string {
  const { responseInformation } = server;
  const own = encodeURIComponent(clientId);
  return responseInformation ? `${responseInformation.replace(/\/$/, '')}/${own}` : `response/${own}`;
}

function needsMqtt5(): MqttError {
  return new MqttError('needs-mqtt-5', 'MQTT 3.1.1 has no requests and responses: a message cannot say where to answer to.');
}

function toKey(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, LONGEST_KEY));
}

/** Milliseconds. */
const PATIENCE = 10_000;

/** Bytes: ours are shorter. */
const LONGEST_KEY = 17;

/** A Reason Code. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
