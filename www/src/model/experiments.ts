// Ready-made experiments with the broker in this page: two clients of their own, something that goes wrong between them and the
// broker, and what follows. Knows nothing of how they are told.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Client, ConnectOptions, QoS, WebSocketLike } from 'mqlite/broker';
import { Faults } from './faults.ts';
import { type PacketSummary, summarise } from './packet-summary.ts';
import { Patience } from './patience.ts';
import { tapped } from './tapped-transport.ts';
import type { Direction, Participant, WireLog, WirePacket } from './wire-log.ts';

export type ExperimentName = (typeof EXPERIMENTS)[number];

export const EXPERIMENTS = ['pubackLost', 'pubrecLost', 'pubcompLost', 'receiveMaximum'] as const;

/** What has happened, in the order of an experiment. The page has a text for each. */
export type StepName =
  | 'subscribed' | 'published' | 'lost' | 'delivered' | 'cut' | 'publishAgain' | 'pubrelAgain' | 'acknowledged' | 'slow' | 'publishedMany' | 'oneAtATime';

export interface Step {
  readonly name: StepName;
  /** The entry of the log that shows it. */
  readonly entry: number | undefined;
}

/** How it ended: how many copies the subscriber got, and of how many messages; the most that it had unacknowledged. */
export interface Outcome {
  readonly copies: number;
  readonly messages: number;
  readonly mostInFlight: number;
}

/** What an experiment needs of the page. */
export interface Laboratory {
  readonly log: WireLog;
  /** A connection to the broker in this page. */
  readonly socket: () => WebSocketLike;
  readonly connect: (server: () => ReturnType<typeof tapped>, options: ConnectOptions) => Promise<Client>;
}

/** One run. */
export class Experiment {
  readonly name: ExperimentName;
  readonly publisher: Participant;
  readonly subscriber: Participant;
  /** The log's entries from this number on are of it, among others. */
  readonly from: number;
  readonly #laboratory: Laboratory;
  readonly #status = signal<'running' | 'done' | 'failed'>('running');
  readonly #steps = signal<readonly Step[]>([]);
  readonly #outcome = signal<Outcome | null>(null);
  readonly #clients: Promise<Client>[] = [];
  readonly #faults = { publisher: new Faults(), subscriber: new Faults() };
  readonly #patience = new Patience();
  #received = 0;
  #isLast = false;
  #error: unknown;

  constructor(name: ExperimentName, laboratory: Laboratory) {
    this.name = name;
    this.#laboratory = laboratory;
    const { log } = laboratory;
    this.from = log.next;
    this.publisher = log.join('tab', 'experiment');
    this.subscriber = log.join('tab', 'experiment');
  }

  /** `failed`: it was stopped, or something came that should not. */
  get status(): ReadonlySignal<'running' | 'done' | 'failed'> {
    return this.#status;
  }

  get steps(): ReadonlySignal<readonly Step[]> {
    return this.#steps;
  }

  get outcome(): ReadonlySignal<Outcome | null> {
    return this.#outcome;
  }

  /** Why it failed. */
  get error(): unknown {
    return this.#error;
  }

  /** Runs it, and ends its clients. Never rejects: the status tells. */
  async run(): Promise<void> {
    try {
      if (this.name === 'receiveMaximum') await this.#oneAtATime();
      else await this.#lost(LOSSES[this.name]);
      this.#status.value = 'done';
    } catch (error) {
      this.#error = error;
      this.#status.value = 'failed';
    }
    await Promise.all(this.#clients.map(goodbye));
  }

  /** Ends it early. */
  stop(): void {
    this.#patience.stop('The experiment was stopped.');
  }

  /** Takes its lines out of the log. */
  leave(): void {
    this.stop();
    this.#laboratory.log.leave(this.publisher);
    this.#laboratory.log.leave(this.subscriber);
  }

  /** An acknowledgement to the publisher is lost, and the connection cut: what is not acknowledged is sent again. */
  async #lost({ qos, packet, again }: Loss): Promise<void> {
    const publisher = await this.#start(qos, {});
    this.#faults.publisher.add('drop', 'received', packet);
    const published = publisher.publish(TOPIC, 'hello', { qos });
    published.catch(() => {}); // heard of below
    this.#step('published', await this.#seen(this.publisher, 'sent', ({ name, dup }) => name === 'PUBLISH' && !dup));
    const lost = await this.#seen(this.publisher, 'received', ({ name }) => name === packet);
    this.#step('lost', lost);
    await this.#patience.until(() => this.#received > 0);
    this.#step('delivered', await this.#seen(this.subscriber, 'received', ({ name }) => name === 'PUBLISH'));
    await this.#patience.pause(PAUSE);
    this.#faults.publisher.cut();
    const cut = this.#entries().find((entry) => entry.kind === 'cut')!;
    this.#step('cut', cut.number);
    const resent = await this.#seen(
      this.publisher,
      'sent',
      ({ name, dup }) => (again === 'PUBREL' ? name === 'PUBREL' : name === 'PUBLISH' && dup === true),
      cut.number,
    );
    this.#step(again === 'PUBREL' ? 'pubrelAgain' : 'publishAgain', resent);
    await this.#patience.race(published);
    const last = await this.#seen(this.publisher, 'received', ({ name }) => name === (qos === 1 ? 'PUBACK' : 'PUBCOMP'), resent);
    this.#step('acknowledged', last);
    await this.#finish(publisher, 1);
  }

  /** A subscriber that takes one message at a time, and is slow to acknowledge. */
  async #oneAtATime(): Promise<void> {
    const publisher = await this.#start(1, { receiveMaximum: 1 });
    this.#faults.subscriber.setDelay('sent', SLOW);
    this.#step('slow', undefined);
    await this.#patience.race(Promise.all(MANY.map((payload) => publisher.publish(TOPIC, payload, { qos: 1 }))));
    this.#step('publishedMany', await this.#seen(this.publisher, 'sent', ({ name }) => name === 'PUBLISH'));
    await this.#patience.until(() => this.#received === MANY.length);
    this.#step('oneAtATime', await this.#seen(this.subscriber, 'received', ({ name }) => name === 'PUBLISH'));
    this.#faults.subscriber.setDelay('sent', 0);
    await this.#finish(publisher, MANY.length);
  }

  /** A subscriber that waits, and a publisher. */
  async #start(qos: QoS, properties: NonNullable<ConnectOptions['properties']>): Promise<Client> {
    const subscriber = await this.#connect('subscriber', { properties });
    await this.#patience.race(subscriber.subscribe(TOPIC, { qos }, ({ payload }) => {
      if (new TextDecoder().decode(payload) === LAST) this.#isLast = true;
      else this.#received += 1;
    }));
    this.#step('subscribed', await this.#seen(this.subscriber, 'received', ({ name }) => name === 'SUBACK'));
    return this.#connect('publisher', {});
  }

  /** What comes behind the last message is behind all copies of those before it. */
  async #finish(publisher: Client, messages: number): Promise<void> {
    await this.#patience.race(publisher.publish(TOPIC, LAST, { qos: 0 }));
    await this.#patience.until(() => this.#isLast);
    this.#outcome.value = { copies: this.#received, messages, mostInFlight: this.#mostInFlight() };
  }

  async #connect(role: 'publisher' | 'subscriber', options: ConnectOptions): Promise<Client> {
    const { log, socket, connect } = this.#laboratory;
    const target = { log, party: this[role], faults: this.#faults[role] };
    const client = connect(() => tapped(socket(), target), {
      ...options,
      clientId: `experiment-${role}`, // a reader's own client may be called a publisher
      properties: { sessionExpiryInterval: 120, ...options.properties },
      cleanStart: true,
      reconnect: { minimumDelayMillis: 400, maximumDelayMillis: 1_000 },
    });
    this.#clients.push(client);
    return this.#patience.race(client);
  }

  /** The most messages that the broker had on their way to the subscriber at once, as the log has it. */
  #mostInFlight(): number {
    const changes = this.#entries().flatMap((entry) => {
      if (entry.kind !== 'packet' || entry.party !== this.subscriber) return [];
      const { name, packetIdentifier = 0, qos = 0 } = summarise(entry.bytes, entry.version);
      const isBegin = name === 'PUBLISH' && qos > 0;
      // An acknowledgement counts when it has arrived.
      const time = entry.time + (entry.fate?.delay ?? 0);
      return isBegin || name === 'PUBACK' || name === 'PUBCOMP' ? [{ time, isBegin, packetIdentifier }] : [];
    });
    const open = new Set<number>();
    let most = 0;
    for (const { isBegin, packetIdentifier } of changes.sort((one, other) => one.time - other.time)) {
      if (isBegin) open.add(packetIdentifier);
      else open.delete(packetIdentifier);
      most = Math.max(most, open.size);
    }
    return most;
  }

  /** Waits for the first packet like this since then; its number. */
  async #seen(party: Participant, direction: Direction, isMeant: (packet: PacketSummary) => boolean, since = this.from): Promise<number> {
    const find = (): number | undefined => {
      const isIt = (entry: WirePacket): boolean =>
        entry.number >= since && entry.party === party && entry.direction === direction && isMeant(summarise(entry.bytes, entry.version));
      return this.#entries().find((entry) => entry.kind === 'packet' && isIt(entry))?.number;
    };
    await this.#patience.until(() => find() !== undefined);
    return find()!;
  }

  #entries() {
    const { log } = this.#laboratory;
    return Array.from({ length: log.next - Math.max(this.from, log.first) }, (_, index) => log.numbered(Math.max(this.from, log.first) + index)!);
  }

  #step(name: StepName, entry: number | undefined): void {
    this.#steps.value = [...this.#steps.value, { name, entry }];
  }
}

/** Ends a client, also one that is only about to connect. */
export async function goodbye(client: Promise<Client>): Promise<void> {
  try {
    await (await client).end();
  } catch {} // what matters is that it has ended
}

interface Loss {
  readonly qos: 1 | 2;
  /** What is lost. */
  readonly packet: 'PUBACK' | 'PUBREC' | 'PUBCOMP';
  /** What the publisher then sends again. */
  readonly again: 'PUBLISH' | 'PUBREL';
}

const LOSSES: { readonly [name in Exclude<ExperimentName, 'receiveMaximum'>]: Loss } = {
  pubackLost: { qos: 1, packet: 'PUBACK', again: 'PUBLISH' },
  pubrecLost: { qos: 2, packet: 'PUBREC', again: 'PUBLISH' },
  pubcompLost: { qos: 2, packet: 'PUBCOMP', again: 'PUBREL' },
};

const TOPIC = 'experiment/greeting';
const MANY = ['one', 'two', 'three', 'four'];
const LAST = 'last';

/** Milliseconds. */
const SLOW = 400;
/** So that it can be watched. */
const PAUSE = 600;
