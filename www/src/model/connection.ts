// One client of the console: its profile, what is true of it now, and what can be done. Knows nothing of how it is shown.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Client, ConnectOptions, Message, MqttError, PublishOptions, QoS, ServerProperties, StatusChange, Subscription as MqttSubscription, Transport, WebSocketLike } from 'mqlite/broker';
import { Faults } from './faults.ts';
import type { InTabBroker } from './in-tab-broker.ts';
import { library } from './library.ts';
import { type LoggedMessage, received } from './message.ts';
import { MessageRing } from './message-ring.ts';
import { COLOURS, newProfile, type Profile, type ProfileSubscription, toConnectOptions } from './profile.ts';
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
  readonly during: 'connect' | 'connection' | 'subscribe' | 'unsubscribe' | 'publish' | 'request' | 'lookUp';
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
  /** The last one, which may be about to open. */
  #transport: Transport | null = null;
  /** Counts the attempts, so that one that was given up ends itself. */
  #attempt = 0;
  #messagesSince = 0;
  /** Those of the client that it has now. */
  readonly #granted = new Map<string, MqttSubscription>();
  #colours = 0;

  /** What went wrong last, until it is dismissed or tried again. */
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

  /** The profile with the subscriptions that there are now, also those made by hand. */
  get profileNow(): Profile {
    return { ...this.profile, subscriptions: this.subscriptions.value.map(({ granted: _, ...subscription }) => subscription) };
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
      const { connect } = await library();
      const target = { log: this.wire, party: this.party, faults: this.faults };
      let isEarly = true;
      const open = () => {
        if (attempt !== this.#attempt) throw new Error('The attempt was given up.');
        return (this.#transport = tapped(this.#socket(profile.server), target));
      };
      const client = await connect(open, {
        ...(await connectOptions(profile)),
        reconnect: profile.reconnect ? {} : false,
        // What a session kept comes with the connection, before anybody can listen; the rest is taken by the listener.
        onMessage: (message) => void (isEarly && attempt === this.#attempt && this.#received(message)),
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
      const transport = this.#transport;
      this.#status.value = 'disconnected';
      transport?.close(); // before an answer comes, with messages that nobody waits for
      transport?.onclose?.(); // or the attempt would wait for that answer
      return;
    }
    await client.end().catch(() => {}); // what matters is that it has ended
  }

  /** Whether the server granted it; the problem tells why not. A filter that is subscribed to already gets the new options. */
  async subscribe(wanted: ProfileSubscription): Promise<boolean> {
    return this.#try('subscribe', wanted.filter, async (client) => {
      const known = this.#subscriptions.value.find(({ filter }) => filter === wanted.filter);
      const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = wanted;
      const isMqtt5 = this.profile.protocolVersion === 5; // the profile may have changed since
      const options = {
        qos,
        ...(isMqtt5 && noLocal && { noLocal }),
        ...(isMqtt5 && retainAsPublished && { retainAsPublished }),
        ...(isMqtt5 && retainHandling && { retainHandling }),
        ...(isMqtt5 && identifier !== undefined && { identifier }),
      };
      const subscription = { filter, ...options, granted: null, colour: wanted.colour ?? known?.colour ?? this.#nextColour() };
      this.#keepSubscription(subscription);
      try {
        const granted = await client.subscribe(filter, options);
        this.#keepSubscription({ ...subscription, granted: granted.qos });
        void this.#watch(client, filter, granted);
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

  /**
   * What the broker keeps of the topics that a filter takes; `null` when it did not say, as the problem tells. Asked by a client
   * of its own: a subscription of this one would be changed by it, and what comes anyway would be taken for the answer.
   */
  async retained(filter: string): Promise<RetainedMessages | null> {
    this.#retry('lookUp', filter);
    try {
      const { connect } = await library();
      const profile = lookUpProfile(this.profile);
      const client = await connect(() => this.#socket(profile.server), { ...(await connectOptions(profile)), reconnect: false });
      const found = await findRetained(client, filter).finally(() => client.end().catch(() => {})); // it has ended in any case
      for (const { topic } of found.messages) this.topics.retain(topic, true);
      return found;
    } catch (error) {
      this.problem.value = { during: 'lookUp', subject: filter, error };
      return null;
    }
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
    client.on('error', (error) => {
      if (error.code === 'unattended') return; // a moment before it is watched: nothing is missed
      this.problem.value = { during: 'connection', error };
    });
    this.#changed(client, client.status, {});
  }

  #changed(client: Client, status: Client['status'], { error, nextAttemptAt }: StatusChange): void {
    if (client !== this.#client) return;
    this.#retryAt.value = nextAttemptAt ?? null;
    if (error) this.problem.value = { during: 'connection', error };
    if (status === 'connected') {
      this.#welcomed(client);
      if (this.problem.value?.during === 'connection') this.problem.value = null;
    }
    this.#status.value = status === 'ended' ? 'disconnected' : status;
    if (status !== 'ended') return;
    this.#client = null;
    this.#granted.clear();
    this.#subscriptions.value = this.#subscriptions.value.map((subscription) => ({ ...subscription, granted: null }));
  }

  #welcomed({ clientId, sessionPresent, server }: Client): void {
    this.#welcome.value = { clientId, sessionPresent, server };
  }

  #received(message: Message): void {
    this.#log(received(message));
  }

  #socket(server: string): WebSocketLike {
    return server === 'tab' ? this.#broker.socket() : new WebSocket(server, 'mqtt');
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

  /** Looks whether a subscription lasts: the server may refuse it on a later connection. Its messages are taken elsewhere. */
  async #watch(client: Client, filter: string, granted: MqttSubscription): Promise<void> {
    const earlier = this.#granted.get(filter);
    this.#granted.set(filter, granted);
    void earlier?.unsubscribe().catch(() => {}); // the server is told nothing: it knows one, which has the new options
    try {
      for await (const _ of granted);
    } catch (error) {
      if (client.status === 'ended' || this.#granted.get(filter) !== granted) return;
      this.#forgetSubscription(filter);
      this.problem.value = { during: 'subscribe', subject: filter, error };
    }
  }

  /** Something is tried again: what went wrong with it before is over. A publication says nothing of other topics. */
  #retry(during: Problem['during'], subject: string): void {
    const problem = this.problem.value;
    if (problem?.during === during && (during !== 'publish' || problem.subject === subject)) this.problem.value = null;
  }

  async #try(during: Problem['during'], subject: string, action: (client: Client) => Promise<void>): Promise<boolean> {
    const client = this.#client;
    if (!client) return false;
    this.#retry(during, subject);
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

/** A profile as the package wants it, with its way to authenticate. */
async function connectOptions(profile: Profile): Promise<ConnectOptions> {
  const { authentication, userName, password } = profile;
  if (authentication !== 'scram') return toConnectOptions(profile);
  const { scramSha256 } = await library();
  return { ...toConnectOptions(profile), authentication: scramSha256({ userName, password }) };
}

/** Of a client that looks up what the broker keeps for another one: beside it, without its limits, and it leaves nothing. */
function lookUpProfile(profile: Profile): Profile {
  const { clientId, properties } = profile;
  return {
    ...profile,
    clientId: clientId && `${clientId}-${crypto.randomUUID().slice(0, 8)}`,
    cleanStart: true,
    will: null,
    properties: { ...newProfile().properties, userProperties: properties.userProperties },
  };
}

/** What came of a question: the answer and how long it took, or why there is none. */
export type Reply = { readonly answer: LoggedMessage; readonly milliseconds: number } | { readonly error: unknown };

/** What the server said of the connection. */
export interface Welcome {
  readonly clientId: string;
  readonly sessionPresent: boolean;
  readonly server: ServerProperties;
}
