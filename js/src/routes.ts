// Which subscriptions a client has, and which of them a message goes to.

import type { Input, Runner } from './engine.js';
import { MqttError } from './error.js';
import type { Listeners } from './events.js';
import type { ClientEngine } from './glue/client.js';
import { Message, type QoS, type ReceivedProperties, type RequestLimits } from './message.js';
import { present } from './engine-options.js';
import type { ConnectOptions } from './options.js';
import type { Requests } from './requests.js';
import { type MessageHandler, Subscription } from './subscription.js';

/** How a subscription is taken, and what is sent for it. */
export interface Subscribing {
  readonly options: object;
  readonly properties: object;
  readonly handler: MessageHandler | undefined;
  readonly manualAck: boolean | undefined;
  readonly limits: RequestLimits;
  /** Called when the subscription has ended, maybe more than once. */
  readonly ended?: () => void;
}

/** The subscriptions to one filter. The server knows them as one, with this number as its identifier. */
interface Route {
  readonly number: number;
  readonly subscriptions: Set<Subscription>;
  /** What was said last. */
  said: Pick<Subscribing, 'options' | 'properties'>;
}

/** Where messages come to: a topic, and the numbers of the routes that they are for. */
interface Place {
  readonly topic: string;
  readonly numbers: readonly number[];
  /** The subscriptions of these, as they were at that time. */
  takers: readonly Subscription[];
  at: number;
}

/** The subscriptions of one client. */
export class Routes {
  readonly #runner: Runner<ClientEngine>;
  readonly #requests: Requests;
  readonly #listeners: Listeners;
  /** Takes what no subscription matches. */
  readonly #rest: Subscription | undefined;
  /** Take every message. */
  readonly #all = new Set<Subscription>();
  readonly #routes = new Map<string, Route>();
  readonly #filters = new Map<number, string>();
  #lastRoute = 0;
  /** What the engine's numbers of places stand for. */
  #places: Place[] = [];
  /** How often it has changed who takes what. */
  #changes = 1;
  /** What is to be acknowledged next. */
  #taken: Taken | undefined;
  #isOver = false;

  constructor(
    runner: Runner<ClientEngine>,
    requests: Requests,
    listeners: Listeners,
    { onMessage, manualAck }: Pick<ConnectOptions, 'onMessage' | 'manualAck'>,
  ) {
    this.#runner = runner;
    this.#requests = requests;
    this.#listeners = listeners;
    if (onMessage) this.#rest = this.#listener(onMessage, manualAck);
  }

  /**
   * Subscribes to all filters, or to none.
   * @throws MqttError that names the filter which was refused.
   */
  async subscribe(filters: readonly string[], subscribing: Subscribing): Promise<Subscription> {
    const { handler, manualAck, limits, ended, ...said } = subscribing;
    const { signal } = limits;
    const abort = () => void subscription.unsubscribe().catch(() => {}); // it fails when there is nothing left to end
    const subscription = new Subscription(filters, {
      handler,
      manualAck,
      guard: (handler, message) => this.#listeners.guard(handler, message),
      leave: (left) => this.#leave(left, left.filters),
      unattended: once(() => this.#listeners.report(unattended(filters))),
      ended: () => {
        signal?.removeEventListener('abort', abort);
        ended?.();
      },
    });
    for (const filter of filters) this.#join(filter, subscription, said); // messages may come before the answer
    const answers = await Promise.allSettled(filters.map((filter) => this.#ask(filter, limits)));
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (refused) {
      const granted = filters.filter((_, index) => answers[index]?.status === 'fulfilled');
      this.#leave(subscription, granted).catch(() => {}); // not awaited: it may take longer than the limits allow
      throw refused.reason;
    }
    subscription.accepted(answers.map((answer) => (answer as PromiseFulfilledResult<QoS>).value));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
    return subscription;
  }

  async unsubscribe(filters: readonly string[], limits: RequestLimits = {}): Promise<void> {
    for (const filter of filters) {
      for (const subscription of this.#routes.get(filter)?.subscriptions ?? []) this.#forget(subscription, [filter]);
    }
    await Promise.all(filters.map((filter) => this.#askToEnd(filter, limits)));
  }

  /** Adds somebody who takes every message. Returns what takes it away. */
  listen(handler: MessageHandler): () => void {
    const listener = this.#listener(handler);
    this.#all.add(listener);
    this.#changes += 1;
    return () => {
      this.#changes += 1;
      if (this.#all.delete(listener)) listener.end({ isWanted: false });
    };
  }

  /** The engine has a new place. With the place 0 all that were before are over, but for what has come to them. */
  place(place: number, topic: string, numbers: Iterable<number>): void {
    if (place === 0) this.#places = [];
    this.#places[place] = { topic, numbers: [...numbers], takers: [], at: 0 };
  }

  /** Messages have come, as the engine says it: valid during the call alone. Returns what delivers them. */
  arrived(messages: Float64Array, payloads: Uint8Array, properties: unknown[] = []): () => void {
    const places = this.#places;
    const heads = messages.slice();
    const areMany = heads.length > HEAD && payloads.length <= MOST_SHARED;
    const parts: Uint8Array[] = [];
    let block: Uint8Array | undefined;
    for (let head = 2, at = 0; head < heads.length; head += HEAD) {
      const length = heads[head] as number;
      const end = at + length;
      const isShared = areMany && length > SHORT && length < LONG;
      parts.push(isShared ? (block ??= payloads.slice()).subarray(at, end) : payloads.slice(at, end));
      at = end;
    }
    return () => {
      let said = 0;
      for (const [index, payload] of parts.entries()) {
        const head = index * HEAD;
        const flags = heads[head + 1] as number;
        const own = flags & HAS_PROPERTIES ? present(properties[said++] as ReceivedProperties) : {};
        this.#deliver(places[heads[head] as number] as Place, payload, flags, own, heads[head + 3] || undefined, heads[head + 4] as number);
      }
    };
  }

  #deliver(
    place: Place,
    payload: Uint8Array,
    flags: number,
    properties: ReceivedProperties,
    packetIdentifier: number | undefined,
    delivery: number,
  ): void {
    const takers = this.#takers(place);
    let outstanding = takers.length;
    const done = delivery === 0 ? nothing : () => void ((outstanding -= 1) > 0 || this.#acknowledge(delivery));
    for (const taker of takers) {
      // A handler of all messages has it already: it does not wait for a loop that may never come.
      const isHeld = this.#all.size === 0 || !taker.isUnattended;
      const settle = delivery === 0 || !isHeld ? nothing : once(done);
      const { topic } = place;
      const [qos, retain, dup] = [(flags & QOS) as QoS, (flags & RETAIN) > 0, (flags & DUP) > 0];
      const message = new Message(topic, payload, qos, retain, dup, packetIdentifier, properties, settle);
      taker.take(message, settle, isHeld && qos > 0);
      if (!isHeld) done();
    }
    if (takers.length === 0) done();
  }

  /** Who takes the messages of a place now. */
  #takers(place: Place): readonly Subscription[] {
    if (place.at === this.#changes) return place.takers;
    const matching = new Set(place.numbers.flatMap((number) => [...this.#subscriptions(number)]));
    if (matching.size === 0 && this.#rest) matching.add(this.#rest);
    place.takers = [...this.#all, ...matching];
    place.at = this.#changes;
    return place.takers;
  }

  /** What is taken at once is acknowledged as one, after all that handlers have published. */
  #acknowledge(delivery: number): void {
    if (this.#taken && this.#runner.isLast(this.#taken)) return this.#taken.add(delivery);
    this.#taken = new Taken(delivery);
    this.#runner.giveSoon(this.#taken);
  }

  /** The server, which had no session of this client, did not take the route of this number again. */
  lost(number: number, reason: number, why: string): void {
    const filter = this.#filters.get(number);
    const route = filter === undefined ? undefined : this.#routes.get(filter);
    if (filter === undefined || !route) return;
    const message = `The subscription to ${JSON.stringify(filter)} was refused on a new connection: ${why}`;
    const error = new MqttError('refused', message, { reason });
    for (const subscription of [...route.subscriptions]) {
      subscription.end({ isWanted: true, error });
      this.#forget(subscription, [filter]);
    }
    this.#listeners.report(error);
  }

  /** The client has ended, with an error unless somebody wanted it. */
  end(error: MqttError | undefined): void {
    this.#isOver = true;
    this.#changes += 1;
    const subscriptions = [...this.#routes.values()].flatMap((route) => [...route.subscriptions]);
    const listeners = [...this.#all, ...(this.#rest ? [this.#rest] : [])];
    for (const subscription of [...subscriptions, ...listeners]) subscription.end({ isWanted: error !== undefined, error });
    this.#routes.clear();
  }

  #listener(handler: MessageHandler, manualAck = false): Subscription {
    return new Subscription([], { handler, manualAck, guard: (handler, message) => this.#listeners.guard(handler, message), leave: async () => {} });
  }

  #join(filter: string, subscription: Subscription, said: Route['said']): void {
    const route = this.#routes.get(filter) ?? { number: (this.#lastRoute += 1), subscriptions: new Set(), said };
    route.said = said;
    this.#routes.set(filter, route);
    this.#filters.set(route.number, filter);
    route.subscriptions.add(subscription);
    this.#changes += 1;
  }

  /** Subscribes to one filter: again, if the connection ends before the answer comes. */
  async #ask(filter: string, limits: RequestLimits): Promise<QoS> {
    const what = () => `The subscription to ${JSON.stringify(filter)}`;
    const route = this.#routes.get(filter);
    if (!route) throw new MqttError('interrupted', `${what()} was ended before the server answered.`);
    const { reason } = await this.#requests.ask(
      what,
      limits,
      (engine, now, token) => engine.subscribe(now, token, route.number, filter, route.said.options, route.said.properties),
      {
        isWanted: () => this.#routes.get(filter) === route,
        late: () => void (this.#routes.has(filter) || this.#askToEnd(filter, {}).catch(() => {})),
      },
    );
    return reason as QoS;
  }

  /** Asks again, if the connection ends before the answer comes, unless somebody has subscribed since. */
  #askToEnd(filter: string, limits: RequestLimits): Promise<unknown> {
    const what = () => `The end of the subscription to ${JSON.stringify(filter)}`;
    const isNew = () => this.#routes.has(filter);
    return this.#requests
      .ask(what, limits, (engine, now, token) => engine.unsubscribe(now, token, filter), { isWanted: () => !isNew() })
      .catch((error: MqttError) => {
        if (this.#isOver || error.code !== 'interrupted' || !isNew()) throw error;
      });
  }

  /** Ends the subscription, and tells the server of those filters that nobody else here has. */
  async #leave(subscription: Subscription, known: readonly string[]): Promise<void> {
    this.#forget(subscription, subscription.filters);
    const left = known.filter((filter) => !this.#routes.has(filter));
    await Promise.all(left.map((filter) => this.#askToEnd(filter, {})));
  }

  /** Takes filters from a subscription, which ends with the last of them. */
  #forget(subscription: Subscription, filters: readonly string[]): void {
    this.#changes += 1;
    for (const filter of filters) {
      const route = this.#routes.get(filter);
      if (!route?.subscriptions.delete(subscription) || route.subscriptions.size > 0) continue;
      this.#routes.delete(filter);
      this.#filters.delete(route.number);
      this.#runner.feed((engine, now) => engine.forget(now, route.number, filter));
    }
    const isLeft = subscription.filters.some((filter) => this.#routes.get(filter)?.subscriptions.has(subscription));
    if (!isLeft) subscription.end({ isWanted: false });
  }

  #subscriptions(number: number): Iterable<Subscription> {
    const filter = this.#filters.get(number);
    return (filter !== undefined && this.#routes.get(filter)?.subscriptions) || [];
  }
}

/** Deliveries to be acknowledged: an input that grows as long as it is the last. */
class Taken implements Input<ClientEngine> {
  readonly canWait = true;
  readonly #deliveries: number[];

  constructor(delivery: number) {
    this.#deliveries = [delivery];
  }

  add(delivery: number): void {
    this.#deliveries.push(delivery);
  }

  run(engine: ClientEngine, now: number): void {
    engine.acknowledge(now, new Float64Array(this.#deliveries));
  }
}

function unattended(filters: readonly string[]): MqttError {
  return new MqttError('unattended', `Messages wait at the subscription to ${JSON.stringify(filters)}, and nobody takes them.`);
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}

function nothing(): void {}

/** Numbers of a message. */
const HEAD = 5;

// Bytes. Short payloads have room within their objects, for others memory would be asked for one by one: it is shared, unless they are long.
const SHORT = 64;
const LONG = 4_096;
/** Whoever keeps one of them keeps all. */
const MOST_SHARED = 65_536;

// Flags of a message.
const QOS = 3;
const RETAIN = 4;
const DUP = 8;
const HAS_PROPERTIES = 16;
