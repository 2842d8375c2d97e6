// One lesson of the tour as it is done: clients of the broker in this page, the packets that they exchange, and the messages that
// they get. Knows nothing of how they are shown.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Client, ConnectOptions, Message, SubscribeOptions } from 'mqlite/broker';
import { goodbye } from './experiments.ts';
import { Faults } from './faults.ts';
import type { InTabBroker } from './in-tab-broker.ts';
import { library } from './library.ts';
import { type PacketSummary, summarise } from './packet-summary.ts';
import { Patience } from './patience.ts';
import { tapped } from './tapped-transport.ts';
import { type Facts, SCRIPTS } from './tour-lessons.ts';
import type { LessonName } from './tour-progress.ts';
import type { Direction, Participant, WireEntry, WireLog, WireParty } from './wire-log.ts';

/** Who takes part in lessons: each is a client with the identifier `tour-` and its name. */
export type Role = 'phone' | 'lamp' | 'switch' | 'dashboard' | 'archive' | 'sensor' | 'door' | 'heater';

/** A message that one of them got. */
export interface TourMessage {
  readonly to: Role;
  readonly message: Message;
}

/** `failed`: it was stopped, or something came that should not. */
export type RunStatus = 'running' | 'done' | 'failed';

/** One run of a lesson. */
export class TourRun {
  readonly name: LessonName;
  readonly patience = new Patience();
  readonly broker: InTabBroker;
  readonly #log: WireLog;
  readonly #pace: number;
  readonly #status = signal<RunStatus>('running');
  readonly #parties = signal<readonly WireParty[]>([]);
  readonly #messages = signal<readonly TourMessage[]>([]);
  readonly #roles = new Map<Role, { readonly party: Participant; readonly faults: Faults }>();
  readonly #clients: Promise<Client>[] = [];
  readonly #entries: WireEntry[] = [];
  #next: number;
  /** Whether the lesson is over, and what still passes is only its clients saying goodbye. */
  #isOver = false;
  #facts: Facts = {};
  #error: unknown;

  /** @param pace Milliseconds between two things that happen, so that they can be watched. */
  constructor(name: LessonName, broker: InTabBroker, log: WireLog, pace = PACE) {
    this.name = name;
    this.broker = broker;
    this.#log = log;
    this.#next = log.next;
    this.#pace = pace;
  }

  get status(): ReadonlySignal<RunStatus> {
    return this.#status;
  }

  /** Those who take part, in the order in which they came. */
  get parties(): ReadonlySignal<readonly WireParty[]> {
    return this.#parties;
  }

  /** What they got so far. */
  get messages(): ReadonlySignal<readonly TourMessage[]> {
    return this.#messages;
  }

  /** What came out, for the texts; once it is done. */
  get facts(): Facts {
    return this.#facts;
  }

  get error(): unknown {
    return this.#error;
  }

  /** What passed between them and the broker, until the lesson was over; it stays when the log forgets it. */
  entries(): readonly WireEntry[] {
    if (this.#isOver) return this.#entries;
    const own = this.#parties.peek();
    for (; this.#next < this.#log.next; this.#next += 1) {
      const entry = this.#log.numbered(this.#next);
      if (entry && own.includes(entry.party)) this.#entries.push(entry);
    }
    return this.#entries;
  }

  /** Runs it, and ends its clients and their sessions. Never rejects: the status tells. */
  async run(): Promise<void> {
    try {
      this.#facts = await SCRIPTS[this.name](this);
      await this.#clear();
      this.#status.value = 'done';
    } catch (error) {
      this.#error = error;
      await this.#clear();
      this.#status.value = 'failed';
    }
  }

  /** Ends it, if it still runs, and takes its lines out of the log. */
  leave(): void {
    this.patience.stop('The lesson was left.');
    for (const { party } of this.#roles.values()) this.#log.leave(party);
  }

  /** A client that takes part. Its session ends with its connection, unless the options say otherwise. */
  async connect(role: Role, options: ConnectOptions = {}): Promise<Client> {
    const { connect } = await this.patience.race(library());
    const target = { log: this.#log, ...this.#role(role) };
    const client = connect(() => tapped(this.broker.socket(), target), {
      clientId: clientIdOf(role),
      onMessage: (message) => this.#got(role, message),
      reconnect: { minimumDelayMillis: 300, maximumDelayMillis: 1_000 },
      ...options,
      properties: { sessionExpiryInterval: 0, ...options.properties },
    });
    this.#clients.push(client);
    const connected = await this.patience.race(client);
    await this.rest();
    return connected;
  }

  /** Subscribes, and shows what comes. */
  async subscribe(role: Role, client: Client, filter: string, options: SubscribeOptions = {}): Promise<void> {
    await this.patience.race(client.subscribe(filter, options, (message) => this.#got(role, message)));
    await this.rest();
  }

  /** Publishes, and waits until it is acknowledged, if it is to be. */
  async publish(client: Client, topic: string, payload: string, options: Parameters<Client['publish']>[2] = {}): Promise<void> {
    await this.patience.race(client.publish(topic, payload, options));
    await this.rest();
  }

  /** What is to go wrong with the connections of one who takes part. */
  faults(role: Role): Faults {
    return this.#role(role).faults;
  }

  /** Waits until so many messages came to one who takes part. */
  async got(role: Role, count: number): Promise<readonly TourMessage[]> {
    const of = (): TourMessage[] => this.#messages.peek().filter(({ to }) => to === role);
    await this.patience.until(() => of().length >= count);
    return of();
  }

  /** Waits for a packet like this. */
  async seen(role: Role, direction: Direction, isMeant: (packet: PacketSummary) => boolean): Promise<void> {
    const { party } = this.#role(role);
    await this.patience.until(() =>
      this.entries().some(
        (entry) =>
          entry.kind === 'packet' && entry.party === party && entry.direction === direction && isMeant(summarise(entry.bytes, entry.version)),
      ),
    );
  }

  /** Says goodbye for a client, whose session may go on. */
  async end(client: Client): Promise<void> {
    await this.patience.race(client.end());
    await this.rest();
  }

  /** A moment to look. */
  rest(): Promise<void> {
    return this.patience.pause(this.#pace);
  }

  #got(role: Role, message: Message): void {
    const { length } = this.#messages.value;
    if (length < MOST_MESSAGES) this.#messages.value = [...this.#messages.value, { to: role, message }];
  }

  #role(role: Role) {
    let known = this.#roles.get(role);
    if (!known) {
      known = { party: this.#log.join('tab', 'experiment'), faults: new Faults() };
      this.#roles.set(role, known);
      this.#parties.value = [...this.#parties.value, known.party];
    }
    return known;
  }

  async #clear(): Promise<void> {
    this.entries();
    this.#isOver = true;
    await Promise.all(this.#clients.map(goodbye));
    for (const role of this.#roles.keys()) this.broker.running?.disconnect(clientIdOf(role), { endSession: true });
  }
}

/** The Client Identifier of one who takes part. */
export function clientIdOf(role: Role): string {
  return `tour-${role}`;
}

/** Milliseconds. */
const PACE = 350;

/** Of one lesson: the sensors may go on for long. */
const MOST_MESSAGES = 100;
