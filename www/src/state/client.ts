import { computed, signal } from '@preact/signals';
import type { Broker, Client, Closed, Message, ProtocolVersion, QoS } from 'mqlite/broker';
import { sentence } from '../text.js';
import { MessageLog } from './log.js';

/** Seconds that a session without clean start outlives its connection in MQTT 5; 3.1.1 keeps it anyway. */
const KEPT = 3_600;

/** A client of the page: what the reader chose, what is true now, and what can be done. */
export class ClientModel {
  readonly options = {
    clientId: signal(''),
    protocolVersion: signal<ProtocolVersion>(5),
    cleanStart: signal(true),
    keepAlive: signal(60),
  };
  readonly status = signal<'disconnected' | 'connecting' | 'connected'>('disconnected');
  readonly connected = computed(() => this.status.value === 'connected');
  /** Granted QoS by Topic Filter, in the order of subscribing. */
  readonly subscriptions = signal<ReadonlyMap<string, QoS>>(new Map());
  /** What went wrong last, as a sentence. */
  readonly problem = signal<string | null>(null);
  readonly log = new MessageLog();

  /** The Client Identifier, or a stand-in until there is one. */
  readonly name = computed(() => this.options.clientId.value || `Client ${this.number}`);
  /** The options in one line. */
  readonly summary = computed(() => {
    const { protocolVersion, cleanStart, keepAlive } = this.options;
    return [
      protocolVersion.value === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1',
      cleanStart.value ? 'clean start' : 'keeps its session',
      keepAlive.value ? `keep alive ${keepAlive.value} s` : 'no keep alive',
    ].join(', ');
  });

  readonly #broker: Broker;
  #client: Client | null = null;

  constructor(
    broker: Broker,
    readonly number: number,
    clientId: string,
  ) {
    this.#broker = broker;
    this.options.clientId.value = clientId;
  }

  async connect(): Promise<void> {
    await this.#attempt(async () => {
      const { clientId, protocolVersion, cleanStart, keepAlive } = this.options;
      this.status.value = 'connecting';
      try {
        this.#client = await this.#broker.connect({
          clientId: clientId.value,
          protocolVersion: protocolVersion.value,
          cleanStart: cleanStart.value,
          keepAlive: keepAlive.value,
          reconnect: false,
          onMessage: (message) => this.#received(message),
          ...(protocolVersion.value === 5 && !cleanStart.value && { properties: { sessionExpiryInterval: KEPT } }),
        });
        this.status.value = 'connected';
        void this.#client.ended.then((closed) => this.#ended(closed));
      } catch (error) {
        this.status.value = 'disconnected';
        throw error;
      }
    });
  }

  async disconnect(): Promise<void> {
    await this.#attempt(() => this.#client?.end());
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    await this.#attempt(async () => {
      // A filter that is subscribed to again has its messages shown already.
      const take = this.subscriptions.value.has(filter) ? () => {} : (message: Message) => this.#received(message);
      const granted = await this.#client!.subscribe(filter, { qos }, take);
      this.subscriptions.value = new Map(this.subscriptions.value).set(filter, granted.qos);
    });
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#attempt(async () => {
      await this.#client!.unsubscribe(filter);
      const left = new Map(this.subscriptions.value);
      left.delete(filter);
      this.subscriptions.value = left;
    });
  }

  async publish(topic: string, text: string, qos: QoS, retain: boolean): Promise<void> {
    await this.#attempt(async () => {
      const payload = new TextEncoder().encode(text);
      const time = Date.now();
      await this.#client!.publish(topic, text, { qos, retain });
      this.log.add({ time, direction: 'sent', topic, payload, qos, retain });
    });
  }

  #received(message: Message): void {
    this.log.add({ time: Date.now(), direction: 'received', ...message });
  }

  #ended({ cause, message }: Closed): void {
    if (cause !== 'requested') this.problem.value = message;
    this.#client = null;
    this.status.value = 'disconnected';
    this.subscriptions.value = new Map();
  }

  async #attempt(action: () => Promise<void> | undefined): Promise<void> {
    this.problem.value = null;
    try {
      await action();
    } catch (error) {
      this.problem.value = sentence(error);
    }
  }
}
