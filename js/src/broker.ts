// The broker for JavaScript: connections are transports, verdicts are promises.

import { named, type Source, unnamed } from './artefact.js';
import { checkBytes, checked, checkNumber, checkText, payloadBytes } from './check.js';
import type { Client } from './client.js';
import { connectWith, share } from './connect.js';
import { Connections } from './connections.js';
import { type Input, Runner, type Successor, weakly } from './engine.js';
import { attempt, MqttError, report } from './error.js';
import { BrokerEngine, type BrokerHost, broker as artefact, Records } from './glue/broker.js';
import type {
  Caller,
  ClientDetails,
  DisconnectOptions,
  HostPublishOptions,
  MoveOptions,
  Page,
  PageOptions,
  RetainedMessage,
  RetainedOptions,
} from './inquiry.js';
import { Journal } from './journal.js';
import type { Payload, QoS, ReceivedProperties } from './message.js';
import type {
  AuthenticationRequest,
  BrokerEvent,
  BrokerOptions,
  BrokerStatistics,
  ConnectOptions,
  TraceOptions,
  Verdict,
} from './options.js';
import type { Answer } from './outcome.js';
import type { Publisher, ReviewDecision, ReviewedMessage } from './rules.js';
import {
  BROKER_OPTIONS,
  DECISIONS,
  DISCONNECT_OPTIONS,
  HOST_PUBLISH_OPTIONS,
  MOVE_OPTIONS,
  PAGE_OPTIONS,
  RETAINED_OPTIONS,
  VERDICTS,
} from './shapes.js';
import type { StoredRecord } from './storage.js';
import { SystemTimer } from './timer.js';
import { type Connectable, pair } from './transport.js';
import { BrokerWebSocket } from './web-socket.js';

/** An MQTT broker that lives in this program. It keeps its state in memory and, where it is given one, in a storage. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #journal: Journal;
  readonly #connections: Connections;
  readonly #runner: Runner<BrokerEngine>;
  /** Records that could not be used. */
  #rejected = 0;
  #isClosed = false;

  readonly #host: BrokerHost = {
    send: (writes, bytes) => this.#connections.sendAll(writes, bytes),
    close: (connection) => this.#connections.close(connection),
    authenticate: (connection, request) => {
      const given = this.#connections.given(connection);
      this.#runner.defer(() => void this.#ask(connection, request as AuthenticationRequest, given));
    },
    review: (review, clientId, userName, topic, payload, qos, retain, properties) => {
      const { subscriptionIdentifiers: _, ...said } = properties as ReceivedProperties; // no client may say any
      const message = { topic, payload: payload.slice(), qos: qos as QoS, retain, properties: said };
      const publisher = { clientId, ...(userName !== undefined && { userName }) };
      this.#runner.defer(() => void this.#review(review, message, publisher));
    },
    report: (event) => {
      const { connection } = event as { connection?: number };
      const given = connection === undefined ? undefined : this.#connections.givenOfLate(connection);
      this.#runner.defer(() => this.#tell(event as BrokerEvent, given));
    },
    write: (key, value) => this.#journal.write({ key: key.slice(), value: value?.slice() }),
    commit: (mayWait) => this.#journal.commit(mayWait),
    remember: (connection, state) => this.#connections.remember(connection, state.slice()),
    reject: (key, reason) => {
      this.#rejected += 1;
      const event: BrokerEvent = { type: 'recordRejected', key: key.slice(), reason };
      queueMicrotask(() => this.#tell(event));
    },
  };

  protected constructor(options: BrokerOptions, journal: Journal, records: Iterable<StoredRecord>) {
    const { clock = Date.now, timer, storage, resume = [] } = options;
    this.#options = options;
    this.#journal = journal;
    journal.onfail = (error) => this.#storageFailed(error);
    this.#connections = new Connections(journal, (run) => this.#runner.feed(run));
    this.#runner = new Runner(this.#engine(toRecords(records)), {
      artefact,
      clock,
      timer: timer ?? new SystemTimer(clock),
      failed: (error) => {
        this.#connections.hangUpAll();
        report(error);
        void this.#journal.close().catch(report);
      },
      ...(storage && { revive: () => this.#revive() }),
    });
    if (!storage) return;
    // Then sessions that were connected and are not any more hear of it.
    const numbers = resume.map((transport) => this.#connections.add(transport, true));
    this.#runner.tell(this.#resumptions(numbers));
    if (this.#rejected > 0 && !options.onEvent) {
      console.warn(`MQlite: ${this.#rejected} records in the storage cannot be used, and are left there.`);
    }
  }

  /**
   * Opens a broker, with all that its storage has.
   * @throws MqttError `invalid-options`, `unsupported` where there is no WebAssembly, or a code that begins with `storage-`.
   */
  static async open(options: BrokerOptions = {}): Promise<Broker> {
    const known = checked(options, BROKER_OPTIONS);
    check(known);
    await artefact.load(named(known.wasm, this.source));
    share(artefact);
    const journal = new Journal(known.storage);
    const records = await journal.load().catch(async (error: MqttError) => {
      await journal.close().catch(report);
      if (known.storageFallback === undefined) throw error;
      attempt(() => known.onEvent?.({ type: 'storageFailed', error }));
      return [];
    });
    try {
      return artefact.refusing(() => new this(known, journal, records));
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** @internal Where the WebAssembly comes from unless the option `wasm` says otherwise: each entry of the package has its own. */
  protected static source(): ReturnType<Source> {
    return unnamed();
  }

  /** @internal What all that is random in a broker comes from. */
  protected static seed(): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(32));
  }

  /**
   * Serves the client at the other end of a WebSocket, a MessagePort or any other transport, until either side closes it.
   * @throws MqttError `closed`, or `invalid-options` for what is no transport.
   */
  accept(connectable: Connectable): void {
    this.#runner.mustGoOn();
    this.#connections.open(connectable);
  }

  /**
   * A client of this broker, in this program: `connect(broker, options)`.
   * @throws MqttError `refused`, `invalid-options` or `closed`.
   */
  connect(options: ConnectOptions = {}): Promise<Client> {
    return connectWith({ artefact, source: unnamed }, this, options);
  }

  /**
   * A WebSocket whose other end is this broker: for an MQTT library that can be told which WebSocket to use. It fails as
   * WebSockets do when the broker is closed.
   */
  webSocket(): BrokerWebSocket {
    const [ours, theirs] = pair();
    try {
      this.accept(ours);
    } catch {
      return new BrokerWebSocket(undefined);
    }
    return new BrokerWebSocket(theirs);
  }

  /**
   * Publishes a message that comes from no client. Resolves when the broker has taken it, and its storage what is to be kept: with
   * `reason` 0x00, or 0x10 when nobody subscribes to it.
   * @throws MqttError `refused`, with a `reason`: 0x87 Not authorized, 0x90 Topic Name invalid, 0x95 Packet too large, 0x97 Quota
   * exceeded, 0x9A Retain or 0x9B QoS not supported; `invalid-options`, `closed`, or a code that begins with `storage-`.
   */
  async publish(topic: string, payload: Payload, options: HostPublishOptions = {}): Promise<Answer> {
    checkText('topic', topic);
    const { qos = 0, retain = false, properties, ...caller } = checked(options, HOST_PUBLISH_OPTIONS);
    const bytes = payloadBytes(payload);
    const reason = await this.#runner.attempt((engine, now) =>
      engine.publish(now, topic, bytes, qos, retain, properties, someone(caller)),
    );
    if (reason >= UNSPECIFIED_ERROR) throw refused('The message', reason);
    await this.#journal.settled();
    return { reason };
  }

  /**
   * What is retained for the topics that a filter matches, part by part.
   * @throws MqttError `refused`, with a `reason`: 0x87 Not authorized unless one of the caller's grants lets it subscribe to all of
   * the filter, 0x8F for what is no Topic Filter, or one of a share; `invalid-options`, `closed` or `busy` as `statistics`.
   */
  retained(filter: string, options: RetainedOptions = {}): Page<RetainedMessage> {
    checkText('filter', filter);
    const { limit = ITEMS, after, ...caller } = checked(options, RETAINED_OPTIONS);
    const now = (this.#options.clock ?? Date.now)();
    const page = this.#runner.look((engine) => engine.retained(now, filter, after, limit, someone(caller)) as Page<RetainedMessage> | number);
    if (typeof page === 'number') throw refused('To look at what is retained', page);
    return page;
  }

  /**
   * The clients that are connected or have a session, by the bytes of their identifiers, part by part.
   * @throws MqttError `invalid-options`, `closed` or `busy` as `statistics`.
   */
  clients(options: PageOptions = {}): Page<ClientDetails> {
    const { limit = ITEMS, after } = checked(options, PAGE_OPTIONS);
    return this.#runner.look((engine) => engine.clients(after, limit) as Page<ClientDetails>);
  }

  /**
   * Closes the connection of a client: its will is published, and it may come back. Tells whether there was one or, with
   * `endSession`, a session.
   * @throws MqttError `invalid-options`, `closed` or `busy` as `statistics`.
   */
  disconnect(clientId: string, options: DisconnectOptions = {}): boolean {
    checkText('clientId', clientId);
    const { reason = ADMINISTRATIVE_ACTION, endSession = false } = checked(options, DISCONNECT_OPTIONS);
    const isKnown = this.#runner.look((engine) => engine.canDisconnect(clientId, reason, endSession));
    if (isKnown) this.#runner.feed((engine, now) => engine.disconnect(now, clientId, reason, endSession));
    return isKnown;
  }

  /**
   * Watches a client: each of its packets is an event of the type `packet` until `until`, in milliseconds since 1970; a time that
   * has passed ends it. At most 64 clients at a time: one more takes the place of the one whose time ends first. A broker whose
   * WebAssembly failed, or that slept, watches nobody.
   * @throws MqttError `invalid-options`, or `closed`.
   */
  async trace(clientId: string, { until }: TraceOptions): Promise<void> {
    checkText('clientId', clientId);
    checkNumber('until', until);
    await this.#runner.attempt((engine, now) => engine.trace(now, clientId, until));
  }

  /**
   * Keeps a value with the broker by a name of your own, such as `user/ada`, in place of what was kept by that name; without a
   * value nothing is kept by it any more. No client sees or changes it. It goes along with an export. Resolves when it is durable.
   * @param name Any text of 1 to 65,535 bytes without U+0000.
   * @param value At most 65,535 bytes.
   * @throws MqttError `invalid-options`, `storage-full` beyond `maximumKeptRecords` or `maximumKeptBytes`, `closed`, or a code
   * that begins with `storage-`.
   */
  async keep(name: string, value?: Uint8Array): Promise<void> {
    checkText('name', name);
    if (value !== undefined) checkBytes('value', value);
    await this.#runner.attempt((engine, now) => engine.keep(now, name, value));
    await this.#journal.settled();
  }

  /**
   * What is kept by names that begin with `prefix`, all without one: copies, in the order of the names' bytes.
   * @throws MqttError `invalid-options`, `closed`, or `busy` within a transport's own methods and while an import is under way.
   */
  kept(prefix = ''): Map<string, Uint8Array> {
    checkText('prefix', prefix);
    return this.#runner.look((engine) => engine.kept(prefix) as Map<string, Uint8Array>);
  }

  /**
   * What is kept by this very name, as a copy; `undefined` when nothing is. However much else is kept, this takes no longer.
   * @throws MqttError `invalid-options`, `closed`, or `busy` within a transport's own methods and while an import is under way.
   */
  keptValue(name: string): Uint8Array | undefined {
    checkText('name', name);
    return this.#runner.look((engine) => engine.keptValue(name));
  }

  /**
   * What the broker counts.
   * @throws MqttError `closed`, or `busy` within a transport's own methods.
   */
  statistics(): BrokerStatistics {
    return this.#runner.look((engine) => engine.statistics() as BrokerStatistics);
  }

  /**
   * All that outlives this broker, as one file: retained messages, the sessions that outlive their connections, wills, and what
   * is kept. Any MQlite can import it.
   * @throws MqttError `closed`, or `busy` within a transport's own methods.
   */
  async export(): Promise<Uint8Array> {
    return this.#runner.look((engine) => engine.export());
  }

  /**
   * Takes what another broker has exported, instead of all that there is here. Clients are told that the broker goes (0x8B),
   * and may come back. Resolves when all is durable, with the number of records that cannot be used: each is an event.
   * @throws MqttError `invalid-options` for what is no whole export, `closed`, or a code that begins with `storage-`.
   */
  async import(file: Uint8Array): Promise<number> {
    checkBytes('file', file);
    this.#runner.mustGoOn();
    this.#mustFit(file);
    await new Promise<void>((resolve, reject) => {
      this.#runner.feed((engine, now) => {
        engine.shutDown(now);
        this.#runner.replace(() => this.#imported(file)).then(resolve, reject);
      }, reject);
    });
    await this.#journal.settled();
    return this.#rejected;
  }

  /**
   * Tells every client that the broker goes (0x8B), closes all connections, and forgets what is in no storage. Resolves when
   * all is durable and the storage is free for another broker.
   * @throws MqttError whose code begins with `storage-`, when something was not stored: nobody was told that it was.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#runner.feed((engine, now) => engine.shutDown(now));
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#runner.end(CLOSED());
        resolve();
      };
      this.#runner.feed(end, () => resolve());
    });
    try {
      await this.#journal.settled();
    } finally {
      this.#connections.hangUpAll();
      await this.#journal.close();
    }
  }

  /**
   * Sends every client to another server: MQTT 5 ones are told where (0x9C Use another server, 0x9D Server moved), all connections
   * are closed, and the broker goes on. Who connects from then on is told by the verdict `redirect`.
   *
   * @param server - The Server Reference, such as the address of a WebSocket.
   * @param options - `permanent`: whether clients need not come back. Default false.
   * @throws MqttError `invalid-options` or `closed`.
   */
  async move(server: string, options: MoveOptions = {}): Promise<void> {
    checkText('server', server);
    const { permanent = false } = checked(options, MOVE_OPTIONS);
    await this.#runner.attempt((engine, now) => engine.moved(now, server, permanent));
    await this.#journal.settled();
  }

  /**
   * Gives back the memory of a broker that its platform has forgotten, as it does that of a Durable Object which sleeps, and
   * lets it do nothing any more: nobody is told, and its storage, its timer and its transports are left alone.
   */
  abandon(): void {
    this.#isClosed = true;
    this.#runner.free(CLOSED());
  }

  #engine(records: Records): BrokerEngine {
    const { grants, authenticate, review: _____, onEvent, storage, storageFallback: _, resume, clock: __, timer: ___, wasm: ____, ...limits } =
      this.#options;
    const policy = {
      asks: authenticate !== undefined,
      reports: onEvent !== undefined,
      stores: storage !== undefined,
      hibernates: resume !== undefined,
      grants,
    };
    const largest = storage?.maximumValueBytes;
    if (largest !== undefined) {
      limits.maximumPacketSize = Math.min(limits.maximumPacketSize ?? MAXIMUM_PACKET_SIZE, largest - BESIDE_PACKET);
    }
    const seed = (this.constructor as typeof Broker).seed();
    return new BrokerEngine(weakly(this.#host), limits, policy, seed, records);
  }

  #tell(event: BrokerEvent, transport?: Connectable): void {
    void attempt(() => this.#options.onEvent?.(event, transport));
  }

  /**
   * Another engine, that knows what is durable. Not resumed are the connection whose bytes broke the first one, and those for which
   * that may have had more to write.
   */
  async #revive(): Promise<() => Successor<BrokerEngine>> {
    if (!this.#journal.isStored) throw BROKEN();
    const { speaking } = this.#connections;
    this.#journal.discard();
    if (!this.#options.resume) this.#connections.hangUpAll(this.#connections.known());
    else this.#connections.hangUpAll([...this.#connections.awaited(), ...(speaking === undefined ? [] : [speaking])]);
    const numbers = this.#connections.known();
    await this.#journal.settled();
    if (!this.#journal.isStored) throw BROKEN();
    const records = await this.#journal.load();
    return () => ({ engine: this.#engine(toRecords(records)), inputs: this.#resumptions(numbers) });
  }

  /** Another engine, that knows what is in the file alone. */
  async #imported(file: Uint8Array): Promise<() => Successor<BrokerEngine>> {
    await this.#journal.settled();
    const old = await this.#journal.load();
    return () => {
      this.#rejected = 0;
      const engine = this.#engine(Records.parse(file));
      this.#connections.hangUpAll(this.#connections.known());
      for (const { key } of old) this.#journal.write({ key, value: undefined });
      engine.store();
      this.#journal.commit();
      return { engine, inputs: [TIMEOUT] };
    };
  }

  /** What an engine is to know first: which connections outlived the one before, and that there are no others. */
  #resumptions(numbers: number[]): Input<BrokerEngine>[] {
    const resumed = this.#connections.states(numbers).map(([connection, state]) => ({
      run: (engine: BrokerEngine, now: number) => engine.resumed(now, connection, state),
    }));
    return [...resumed, TIMEOUT];
  }

  /**
   * @throws MqttError `invalid-options` for a file that is no whole export, or has more in a value than the storage takes.
   */
  #mustFit(file: Uint8Array): void {
    const { maximumValueBytes = Number.POSITIVE_INFINITY } = this.#options.storage ?? {};
    const records = artefact.refusing(() => Records.parse(file));
    const longest = records.longest();
    records.free();
    if (longest > maximumValueBytes) {
      throw new MqttError('invalid-options', `The storage takes values of ${maximumValueBytes} bytes, and one here has ${longest}.`);
    }
  }

  #storageFailed(error: MqttError): void {
    if (this.#options.storageFallback === undefined) return this.#runner.fail(error);
    this.#journal.goOn();
    this.#tell({ type: 'storageFailed', error });
  }

  /** `given` is absent where the client is gone already: then nobody waits for more than the end. */
  async #ask(connection: number, request: AuthenticationRequest, given: Connectable | undefined): Promise<void> {
    try {
      const verdict = understood(given ? await this.#options.authenticate?.(request, given) : GONE);
      await this.#runner.attempt((engine, now) => engine.authenticated(now, connection, verdict));
    } catch (error) {
      if (this.#isClosed) return;
      report(error);
      this.#runner.feed((engine, now) => engine.authenticated(now, connection, GONE));
    }
  }

  async #review(review: number, message: ReviewedMessage, publisher: Publisher): Promise<void> {
    try {
      const decision = decided(await this.#options.review?.(message, publisher));
      const { type, topic, payload, reason }: Partial<ReviewDecisionMembers> = decision;
      const bytes = payload === undefined ? undefined : payloadBytes(payload);
      await this.#runner.attempt((engine, now) => engine.reviewed(now, review, type, topic, bytes, reason));
    } catch (error) {
      if (this.#isClosed) return;
      report(error);
      this.#runner.feed((engine, now) => engine.reviewed(now, review));
    }
  }
}

function toRecords(stored: Iterable<StoredRecord>): Records {
  const records = new Records();
  for (const { key, value } of stored) records.push(key, value);
  return records;
}

/** On whose behalf; without rights or a name of its own it is the host's. */
function someone(caller: Caller): Caller | undefined {
  return Object.keys(caller).length > 0 ? caller : undefined;
}

function refused(what: string, reason: number): MqttError {
  return new MqttError('refused', `${what} was refused: ${artefact.describeReason(reason)}.`, { reason });
}

/** What no single option says. */
function check({ grants, authenticate, rules, review, storage, storageFallback, resume }: BrokerOptions): void {
  if (grants && authenticate) {
    throw new MqttError('invalid-options', 'The option "grants" counts for nothing beside "authenticate".', {
      hint: 'Give each client its grants with the verdict.',
    });
  }
  if (!review && rules?.some(({ action }) => action === 'review')) {
    throw new MqttError('invalid-options', 'A rule with the action "review" needs the option "review".');
  }
  if (!storage && (storageFallback !== undefined || resume)) {
    throw new MqttError('invalid-options', 'The options "storageFallback" and "resume" count for nothing without "storage".');
  }
  if ((storage?.maximumValueBytes ?? LEAST_VALUE) < LEAST_VALUE) {
    throw new MqttError('invalid-options', `The storage must take values of ${LEAST_VALUE} bytes at least.`);
  }
  if (storageFallback !== undefined && storageFallback !== 'memory') {
    throw new MqttError('invalid-options', 'storageFallback must be "memory", or be left out.');
  }
}

/** A verdict that says what its type can say, and nothing else. */
function understood(verdict: Verdict | undefined): object {
  const type = verdict?.type;
  if (!verdict || type === undefined || !Object.hasOwn(VERDICTS, type)) {
    throw new MqttError('invalid-options', 'The type of a verdict must be allow, deny, continue or redirect.');
  }
  return checked<object>(verdict, VERDICTS[type]);
}

/** A decision that says what its type can say, and nothing else. */
function decided(decision: ReviewDecision | undefined): Partial<ReviewDecisionMembers> {
  const type = decision?.type;
  if (!decision || type === undefined || !Object.hasOwn(DECISIONS, type)) {
    throw new MqttError('invalid-options', 'The type of a decision must be accept, rewrite, drop or refuse.');
  }
  return checked<object>(decision, DECISIONS[type]);
}

/** All that decisions have. */
interface ReviewDecisionMembers {
  type: string;
  topic: string;
  payload: Payload;
  reason: number;
}

const TIMEOUT: Input<BrokerEngine> = { run: (engine, now) => engine.timeout(now) };

const BROKEN = () => new MqttError('broken', 'The WebAssembly instance failed.', { hint: 'Open a new broker.' });

const CLOSED = () => new MqttError('closed', 'The broker is closed.', { hint: 'Open another.' });

/** The limit where none is given. */
const MAXIMUM_PACKET_SIZE = 1 << 20;

/** Bytes that a value may have besides a packet, and some to spare: `Action::Put` of the core says how many. */
const BESIDE_PACKET = 1 << 17;

/** What a storage's values must have room for, in bytes: a packet as large as a CONNECT may be, and what is beside it. */
const LEAST_VALUE = 1 << 18;

// Reason Codes.
const UNSPECIFIED_ERROR = 0x80;
const ADMINISTRATIVE_ACTION = 0x98;

/** The length of a page. */
const ITEMS = 100;

const GONE: Verdict = { type: 'deny', reason: UNSPECIFIED_ERROR };
