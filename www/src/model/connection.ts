// One client of the console: its profile, what is true of it now, and what can be done. Knows nothing of how it is shown.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Client, Message, MqttError, PublishOptions, QoS, ServerProperties, StatusChange } from 'mqlite/broker';
import { Faults } from './faults.ts';
import { matchesFilter } from './find.ts';
import type { InTabBroker } from './in-tab-broker.ts';
import { library } from './library.ts';
import { type LoggedMessage, received } from './message.ts';
import { MessageRing } from './message-ring.ts';
import { COLOURS, type Profile, type ProfileSubscription, toConnectOptions } from './profile.ts';
import { findRetained, type RetainedMessages } from './retained.ts';
import { tapped } from './tapped-transport.ts';
import { TopicTree } from './topic-tree.ts';
import type { Participant, WireLog } from './wire-log.ts';

/** `waiting`: the connection is gone, and another attempt is due. */
export type ConnectionStatus = 'disconnected' | 'connecting' | 'connected' | 'waiting';

/** A subscription of a connection; `granted` is `null` until the server has answered. */
export interface Subscription extends ProfileSubscription {
  readonly granted: QoS | null;
  /** From 0 to `COLOURS - 1`. */
  readonly colour: number;
}

/** What went wrong, for people to be told in their language. */
export interface Problem {
  readonly during: 'connect' | 'connection' | 'subscribe' | 'unsubscribe' | 'publish' | 'request';
  /** The topic or filter that it is about. */
  readonly subject?: string;
  readonly error: unknown;
}

/** How a message is published. */
export interface Publication extends PublishOptions {
  readonly topic: string;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Gives it up; that is no problem. */
  readonly signal?: AbortSignal;
}

/** A client and all that it has seen. */
export class Connection {
  /** Tells connections apart, also those of the same profile; from 1. */
  readonly number: number;
  readonly messages = new MessageRing();
  readonly topics = new TopicTree();
  /** What is to go wrong on the way to the server. */
  readonly faults = new Faults();
  /** The log of all connections. */
  readonly wire: WireLog;
  readonly #broker: InTabBroker;
  readonly #profile: Signal<Profile>;
  readonly #party: Signal<Participant>;
  readonly #status = signal<ConnectionStatus>('disconnected');
  readonly #subscriptions = signal<readonly Subscription[]>([]);
  readonly #rate = signal(0);
  readonly #welcome = signal<Welcome | null>(null);
  readonly #retryAt = signal<number | null>(null);
  #client: Client | null = null;
  /** Counts the attempts, so that one that was given up ends itself. */
  #attempt = 0;
  #messagesSince = 0;
  /** Retained messages on topics of this filter are an answer to `retained`, and no news. */
  #lookingFor: string | null = null;
  #colours = 0;

  /** What went wrong last, until it is dismissed or something else is tried. */
  readonly problem = signal<Problem | null>(null);

  constructor(number: number, profile: Profile, broker: InTabBroker, wire: WireLog) {
    this.number = number;
    this.wire = wire;
    this.#profile = signal(profile);
    this.#party = signal(wire.join(profile.server));
    this.#broker = broker;
    this.#plan(profile);
  }

  get profile(): Profile {
    return this.#profile.value;
  }

  /** Who it is in the log of the wire. */
  get party(): Participant {
    return this.#party.value;
  }

  get status(): ReadonlySignal<ConnectionStatus> {
    return this.#status;
  }

  /** Those that it has and, without a connection, those that it will ask for. */
  get subscriptions(): ReadonlySignal<readonly Subscription[]> {
    return this.#subscriptions;
  }

  /** Messages of the last second, sent and received. */
  get rate(): ReadonlySignal<number> {
    return this.#rate;
  }

  /** What the server said when it accepted the connection; `null` before. */
  get welcome(): ReadonlySignal<Welcome | null> {
    return this.#welcome;
  }

  /** When the next attempt is due, in milliseconds since 1970: with `waiting`. */
  get retryAt(): ReadonlySignal<number | null> {
    return this.#retryAt;
  }

  /** Counts for another profile from the next `connect`. */
  adopt(profile: Profile): void {
    if (profile.server !== this.profile.server) {
      this.wire.leave(this.party);
      this.#party.value = this.wire.join(profile.server);
    }
    this.#profile.value = profile;
    this.#plan(profile);
  }

  /** Connects, and subscribes to what the profile says. Never rejects: status and problem tell. */
  async connect(): Promise<void> {
    if (this.#status.value !== 'disconnected') return;
    const attempt = ++this.#attempt;
    const profile = this.#profile.value;
    this.problem.value = null;
    this.#status.value = 'connecting';
    try {
      const { connect, scramSha256 } = await library();
      const { authentication, userName, password, reconnect, server } = profile;
      const target = { log: this.wire, party: this.party, faults: this.faults };
      const socket = () => (server === 'tab' ? this.#broker.socket() : new WebSocket(server, 'mqtt'));
      let isEarly = true;
      const client = await connect(() => tapped(socket(), target), {
        ...toConnectOptions(profile),
        reconnect: reconnect ? {} : false,
        ...(authentication === 'scram' && { authentication: scramSha256({ userName, password }) }),
        // What a session kept comes with the connection, before anybody can listen; the rest is taken by the listener.
        onMessage: (message) => void (isEarly && this.#received(message)),
      });
      if (attempt !== this.#attempt) return void client.end().catch(() => {});
      isEarly = false;
      this.#connected(client);
      await Promise.all(this.#subscriptions.value.map((subscription) => this.subscribe(subscription)));
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#status.value = 'disconnected';
      this.problem.value = { during: 'connect', error };
    }
  }

  /** Ends the connection, or the attempts to get one. */
  async end(): Promise<void> {
    this.#attempt += 1;
    const client = this.#client;
    if (!client) {
      this.#status.value = 'disconnected';
      return;
    }
    await client.end().catch(() => {}); // what matters is that it has ended
  }

  /** Whether the server granted it; the problem tells why not. A filter that is subscribed to already gets the new options. */
  async subscribe(wanted: ProfileSubscription): Promise<boolean> {
    return this.#try('subscribe', wanted.filter, async (client) => {
      const known = this.#subscriptions.value.find(({ filter }) => filter === wanted.filter);
      const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = wanted;
      const options = {
        qos,
        ...(noLocal && { noLocal }),
        ...(retainAsPublished && { retainAsPublished }),
        ...(retainHandling && { retainHandling }),
        ...(identifier !== undefined && { identifier }),
      };
      const subscription = { filter, ...options, granted: null, colour: wanted.colour ?? known?.colour ?? this.#nextColour() };
      this.#keepSubscription(subscription);
      try {
        const granted = await client.subscribe(filter, options, () => {});
        this.#keepSubscription({ ...subscription, granted: granted.granted[0] ?? granted.qos });
      } catch (error) {
        if (known?.granted != null) this.#keepSubscription(known);
        else this.#forgetSubscription(filter);
        throw error;
      }
    });
  }

  async unsubscribe(filter: string): Promise<boolean> {
    if (!this.#client) {
      this.#forgetSubscription(filter);
      return true;
    }
    return this.#try('unsubscribe', filter, async (client) => {
      await client.unsubscribe(filter);
      this.#forgetSubscription(filter);
    });
  }

  /** Whether the server took it. */
  async publish({ topic, payload, qos = 0, retain = false, properties, signal: until }: Publication): Promise<boolean> {
    return this.#try('publish', topic, async (client) => {
      const time = Date.now();
      await client.publish(topic, payload, { qos, retain, ...(properties && { properties }), ...(until && { signal: until }) });
      this.#log({ time, direction: 'sent', topic, payload, qos, retain, dup: false, packetIdentifier: undefined, properties: properties ?? {} });
    });
  }

  /** Asks, and waits for the answer so many milliseconds; both are logged. `null` without a connection. MQTT 5 only. */
  async request({ topic, payload, qos = 0, properties = {} }: Publication, timeout: number): Promise<Reply | null> {
    const client = this.#client;
    if (!client) return null;
    const { responseTopic: _, correlationData: __, ...said } = properties; // the client's to say
    const time = Date.now();
    this.#log({ time, direction: 'sent', topic, payload, qos, retain: false, dup: false, packetIdentifier: undefined, properties: said });
    try {
      const answer = await client.request(topic, payload, { qos, properties: said, timeout });
      return { answer: received(answer), milliseconds: Date.now() - time };
    } catch (error) {
      return { error };
    }
  }

  /** Ends it, and takes its line from the log of the wire. */
  async close(): Promise<void> {
    this.wire.leave(this.party);
    await this.end();
  }

  /** The most that the server acknowledges at least once: 0 where it takes no more. */
  get acknowledgedQos(): QoS {
    return this.#welcome.value?.server.maximumQos === 0 ? 0 : 1;
  }

  /** What the broker keeps of the topics that a filter takes; `null` when it did not say, as the problem tells. */
  async retained(filter: string): Promise<RetainedMessages | null> {
    let found: RetainedMessages | null = null;
    await this.#try('subscribe', filter, async (client) => {
      this.#lookingFor = filter;
      try {
        found = await findRetained(client, filter, this.#subscriptions.value.find((subscription) => subscription.filter === filter));
      } finally {
        this.#lookingFor = null;
      }
    });
    return found;
  }

  /** Called once a second. */
  tick(): void {
    this.#rate.value = this.#messagesSince;
    this.#messagesSince = 0;
  }

  #connected(client: Client): void {
    this.#client = client;
    this.#welcomed(client);
    client.on('message', (message) => this.#received(message));
    client.on('status', (status, change) => this.#changed(client, status, change));
    client.on('error', (error) => (this.problem.value = { during: 'connection', error }));
    this.#changed(client, client.status, {});
  }

  #changed(client: Client, status: Client['status'], { error, nextAttemptAt }: StatusChange): void {
    if (client !== this.#client) return;
    this.#retryAt.value = nextAttemptAt ?? null;
    if (error) this.problem.value = { during: 'connection', error };
    if (status === 'connected') {
      this.#welcomed(client);
      this.problem.value = null;
    }
    this.#status.value = status === 'ended' ? 'disconnected' : status;
    if (status !== 'ended') return;
    this.#client = null;
    this.#subscriptions.value = this.#subscriptions.value.map((subscription) => ({ ...subscription, granted: null }));
  }

  #welcomed({ clientId, sessionPresent, server }: Client): void {
    this.#welcome.value = { clientId, sessionPresent, server };
  }

  #received(message: Message): void {
    const { topic, retain } = message;
    if (retain && this.#lookingFor !== null && matchesFilter(this.#lookingFor, topic)) return this.topics.retain(topic, true);
    this.#log(received(message));
  }

  #log(message: LoggedMessage): void {
    this.#messagesSince += 1;
    this.messages.push(message);
    this.topics.insert(message);
  }

  #plan({ subscriptions }: Profile): void {
    this.#subscriptions.value = subscriptions.map((subscription) => ({ ...subscription, granted: null, colour: subscription.colour ?? this.#nextColour() }));
  }

  #nextColour(): number {
    this.#colours += 1;
    return (this.#colours - 1) % COLOURS;
  }

  #keepSubscription(subscription: Subscription): void {
    const others = this.#subscriptions.value;
    const isKnown = others.some(({ filter }) => filter === subscription.filter);
    this.#subscriptions.value = isKnown
      ? others.map((other) => (other.filter === subscription.filter ? subscription : other))
      : [...others, subscription];
  }

  #forgetSubscription(gone: string): void {
    this.#subscriptions.value = this.#subscriptions.value.filter(({ filter }) => filter !== gone);
  }

  async #try(during: Problem['during'], subject: string, action: (client: Client) => Promise<void>): Promise<boolean> {
    const client = this.#client;
    if (!client) return false;
    this.problem.value = null;
    try {
      await action(client);
      return true;
    } catch (error) {
      const isWanted = (error as Partial<MqttError>).code === 'aborted';
      if (client === this.#client && !isWanted) this.problem.value = { during, subject, error };
      return false;
    }
  }
}

/** What came of a question: the answer and how long it took, or why there is none. */
export type Reply = { readonly answer: LoggedMessage; readonly milliseconds: number } | { readonly error: unknown };

/** What the server said of the connection. */
export interface Welcome {
  readonly clientId: string;
  readonly sessionPresent: boolean;
  readonly server: ServerProperties;
}
