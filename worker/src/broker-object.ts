// A room: one broker in a Durable Object, and the WebSockets that the runtime holds for it, awake or asleep. Knows no MQTT.

import {
  type AuthenticationRequest,
  Broker,
  type BrokerEvent,
  type BrokerOptions,
  type Clock,
  MqttError,
  type Publisher,
  type ReviewDecision,
  type ReviewedMessage,
  type Verdict,
} from 'mqlite/broker';
import { Access } from './access/access.js';
import { type AuthenticationContext, fromTags, toTags } from './access/upgrade.js';
import { Users } from './access/users.js';
import { Alarm } from './alarm.js';
import { Alarms } from './alarms.js';
import { Arrivals } from './arrivals.js';
import { RoomCalls } from './calls.js';
import { Doorway } from './doorway.js';
import type { Environment } from './environment.js';
import type { ForwardStatistics } from './forward/forwarder.js';
import { Forwards } from './forward/forwards.js';
import { type Identity, TICKET, welcome } from './guests.js';
import { Insiders } from './insiders.js';
import { Latest } from './latest.js';
import { Log } from './log.js';
import { reviewer } from './review.js';
import { Batch, Pace } from './pace.js';
import { type RoomSettings, settingsOf } from './settings.js';
import { faultOfSettings } from './settings-fault.js';
import { streamOf } from './stream.js';
import { type Shared, SocketTransport } from './socket-transport.js';
import { SqliteStorage } from './storage.js';
import { Turn } from './turn.js';
import { type Moved, Whereabouts } from './whereabouts.js';

// Reason Codes.
/** Also that of a connection which was lost. */
const UNSPECIFIED = 0x80;
const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
const SERVER_UNAVAILABLE = 0x88;
/** Malformed Packet, Protocol Error, Receive Maximum exceeded, Topic Alias invalid, Packet too large, Message rate too high. */
const BREACHES = new Set([0x81, 0x82, 0x93, 0x94, 0x95, 0x96]);
/** Bad User Name or Password; Connection rate exceeded, which is what too many of these hear. */
const GUESSES = new Set([0x86, 0x9f]);

// WebSocket close codes.
const UNSUPPORTED_DATA = 1003;
const SERVICE_RESTART = 1012;

/**
 * By the identifiers of their objects. The WebAssembly outlives the objects, which are not told when they are put to sleep: so
 * who wakes gives back the memory of the broker before.
 */
const brokers = new Latest<Broker>();

/**
 * One broker for all WebSockets that are opened to this object. All that is to survive is in the storage and beside the sockets:
 * the object sleeps whenever nothing happens, and a crash or a deployment is a sleep without sockets.
 */
export class MqttBroker extends RoomCalls {
  /** What the operator has set for this room. */
  protected readonly settings: RoomSettings;
  protected readonly log: Log;
  protected broker!: Broker;
  readonly #insiders = new Insiders();
  protected readonly users: Users;
  readonly #access: Access;
  readonly #arrivals: Arrivals;
  readonly #doorway = new Doorway();
  readonly #clock: Clock;
  /** Resolves when `broker` is there. */
  readonly #opened: Promise<void>;
  #alarm!: Alarm;
  #forwards!: Forwards;
  #whereabouts!: Whereabouts;
  protected readonly storage: SqliteStorage;
  readonly #turn: Turn;
  readonly #shared: Shared = { soon: Batch.soon(), pace: Pace.ofAll() };
  readonly #transports = new Map<WebSocket, SocketTransport>();
  /** Who came in by a call of the Worker's own code. */
  readonly #identities = new WeakMap<AuthenticationContext, Identity>();

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    const fault = faultOfSettings(environment.SETTINGS, this.roomName);
    // By settings that are wrong nothing is made.
    this.settings = fault === undefined ? settingsOf(environment.SETTINGS, this.roomName) : {};
    this.log = new Log(this.roomName, this.settings.log);
    const { clock = Date.now, ...options } = this.options();
    this.#clock = clock;
    const id = String(state.id);
    brokers.get(id)?.abandon();
    const keeper = {
      keep: (name: string, value?: Uint8Array) => this.broker.keep(name, value),
      kept: (prefix: string) => this.broker.kept(prefix),
      keptValue: (name: string) => this.broker.keptValue(name),
    };
    this.users = new Users(keeper, this.settings.authentication?.passwordIterations);
    this.#access = new Access(this.settings, environment, this.roomName, this.users, clock);
    this.storage = new SqliteStorage(state, this.log);
    this.#turn = new Turn((task) => this.storage.together(task));
    this.#arrivals = new Arrivals(this.settings.connectionRate ?? {}, clock);
    this.#opened = state.blockConcurrencyWhile(async () => {
      this.#alarm = new Alarm(state.storage, clock, await state.storage.getAlarm());
      const storage = this.storage;
      const resume = state.getWebSockets().flatMap((socket) => this.#wake(socket));
      const alarms = new Alarms(this.#alarm, clock);
      this.#forwards = new Forwards(this.settings.forward ?? [], {
        room: this.roomName,
        bindings: environment,
        sql: state.storage.sql,
        insiders: this.#insiders,
        timer: () => alarms.timer(),
        clock,
        log: this.log,
      });
      const open = async () => {
        if (fault !== undefined) throw new MqttError('invalid-options', fault);
        return Broker.open({ ...options, clock, timer: alarms.timer(), storage, resume });
      };
      this.broker = await open().catch((error: MqttError) => {
        if (error.code !== 'invalid-options') throw error;
        this.log.error('settingsRefused', { message: error.message });
        // What is wrong is told to the operator, and not to whoever asks the room for something.
        throw new MqttError('closed', 'This room does not open, and its log says why.');
      });
      brokers.set(id, this.broker);
      this.#whereabouts = this.#where();
      if (!this.#whereabouts.moved) await this.#forwards.open(this.broker);
    });
  }

  /** The name of this room. */
  protected get roomName(): string {
    // Whoever made the object without a name knows it by its identifier.
    return this.ctx.id.name ?? String(this.ctx.id);
  }

  /** What the broker is opened with. A subclass may say more. */
  protected options(): Omit<BrokerOptions, 'timer' | 'storage' | 'resume'> {
    const { limits, rules = [], review } = this.settings;
    const reviewed = review ? [{ filter: review.filter, action: 'review' as const }] : [];
    return {
      ...limits,
      rules: [...rules, ...reviewed],
      ...(review?.timeoutMillis !== undefined && { reviewTimeoutMillis: review.timeoutMillis }),
      ...(review?.fallback !== undefined && { reviewFallback: review.fallback }),
      review: (message, publisher) => this.review(message, publisher),
      authenticate: (request, transport) => this.#admit(request, transport),
      onEvent: (event, transport) => this.#heard(event, transport),
    };
  }

  /**
   * Decides what becomes of a message for which a rule says `review`. A subclass may decide by itself; it is given the time of the
   * setting `review.timeoutMillis`, and a failure leaves it to `review.fallback`.
   */
  protected review(message: ReviewedMessage, publisher: Publisher): ReviewDecision | PromiseLike<ReviewDecision> {
    const { service, timeoutMillis } = this.settings.review ?? {};
    const fetcher = service === undefined ? undefined : (this.env as unknown as Record<string, Fetcher | undefined>)[service];
    if (!fetcher) throw new Error('There is nobody to review messages: the setting review names no Service that is bound.');
    return reviewer(fetcher, this.roomName, timeoutMillis)(message, publisher);
  }

  /** What happens in the broker. */
  protected onEvent(event: BrokerEvent): void {
    if (event.type !== 'packet') return this.log.brokerEvent(event);
    const { type: _, ...packet } = event;
    this.traces.tell(packet);
  }

  /**
   * Decides who is let in, at CONNECT and at each AUTH: by default what the settings say. A subclass may ask whomever it likes, and
   * leave the rest to `super.authenticate`. One that throws keeps the client out.
   */
  protected authenticate(request: AuthenticationRequest, context: AuthenticationContext): Verdict | PromiseLike<Verdict> {
    return this.#access.authenticate(request, context);
  }

  /** Upgrades a request that app.ts found good. */
  override async fetch(request: Request): Promise<Response> {
    const ticket = request.headers.get(TICKET);
    if (ticket !== null) return this.#upgradeGuest(ticket);
    const context = await this.#access.contextOf(request);
    if (!context) return new Response('The token is not valid.\n', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    if (!(await this.#arrivals.admit(context.peerAddress))) return tooManyConnections('Too many connections were opened from this address');
    if (!(await this.#doorway.pass())) return tooManyConnections('Too many connections are being opened');
    const tags = toTags(context);
    if (!tags) return new Response('The token says too much for an upgrade: bring it as the password.\n', { status: 431 });
    return this.#upgrade(context, tags);
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    if (typeof message !== 'string') {
      const transport = this.#transports.get(socket);
      if (transport?.isSettled) this.#doorway.heard();
      if (transport?.take(message)) this.#turn.do(() => transport.hear());
      else this.#turn.add();
      return;
    }
    // What came before is heard before it is closed, and nothing that comes after.
    this.#transports.get(socket)?.stop();
    this.#turn.do(() => {
      // [MQTT-6.0.0-1]
      socket.close(UNSUPPORTED_DATA, 'MQTT is sent in binary messages.');
      this.#lost(socket);
    });
  }

  override webSocketClose(socket: WebSocket): void {
    this.#turn.do(() => {
      // With the hibernation API the answer to a Close frame is ours to give.
      socket.close();
      this.#lost(socket);
    });
  }

  override webSocketError(socket: WebSocket): void {
    this.#turn.do(() => this.#lost(socket));
  }

  override alarm(): void {
    this.#alarm.fired();
  }

  override forwardStatistics(): ForwardStatistics[] {
    return this.#forwards.statistics;
  }

  /** All that this room keeps, as one file. For the Worker's own code: no route leads here. */
  export(): Promise<Uint8Array> {
    return this.broker.export();
  }

  /**
   * Replaces all that this room keeps by what such a file has, and closes all connections. For the Worker's own code, which may do so
   * before it opens a room again that has moved.
   */
  async import(file: Uint8Array): Promise<number> {
    const rejected = await this.broker.import(file);
    this.#forwards.begin();
    return rejected;
  }

  /** The same as `export`, in pieces: a file may be longer than what a call returns. */
  async backup(): Promise<ReadableStream<Uint8Array>> {
    return streamOf(await this.broker.export());
  }

  /**
   * The same as `import`, in pieces, for whoever has the scope `backup`. Who read events begins anew, and is told of the gap.
   * @throws MqttError `refused` with the reason 0x88 while the room moves, and when it has moved.
   */
  async restore(pieces: ReadableStream<Uint8Array>): Promise<number> {
    const file = new Uint8Array(await new Response(pieces).arrayBuffer());
    this.mustBeHere();
    const rejected = await this.import(file);
    this.endReaders();
    return rejected;
  }

  #upgradeGuest(ticket: string): Response {
    const identity = this.guests.take(ticket);
    if (!identity) return new Response('There is no such ticket.\n', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    const context: AuthenticationContext = {};
    // Not for longer than this object is awake: whoever has not said CONNECT by then comes again.
    this.#identities.set(context, identity);
    return this.#upgrade(context, []);
  }

  #upgrade(context: AuthenticationContext, tags: string[]): Response {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket, tags);
    const transport = this.#hold(socket, context);
    transport.openedAt = this.#clock();
    // The broker has nothing to remember before it hears something.
    transport.state = new Uint8Array();
    try {
      // All that this sets is when the client must have said CONNECT, and then a crash leaves nobody to be closed.
      this.#alarm.leisurely(() => this.broker.accept(transport));
    } catch (error) {
      // It is over, as after two traps in a row, and has closed all others: whoever comes next finds a new one.
      const sentence = `The broker of this room starts again: ${error}`;
      this.log.error('brokerFailed', { message: sentence });
      this.ctx.abort(sentence);
    }
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'mqtt' } });
  }

  #heard(event: BrokerEvent, transport: unknown): void {
    const isOver = event.type === 'refused' || event.type === 'disconnected';
    if (isOver && transport instanceof SocketTransport) {
      const { peerAddress } = transport.context;
      if (BREACHES.has(event.refusal.reason)) this.#arrivals.broke(peerAddress);
      else if (GUESSES.has(event.refusal.reason)) this.#arrivals.guessed(peerAddress);
      else if (event.type === 'disconnected' && event.refusal.reason === UNSPECIFIED) this.#arrivals.vanished(peerAddress, transport.openedAt);
    }
    this.onEvent(event);
  }

  /** Lets the room's own clients in and those of the Worker's own code, and asks about all others. */
  async #admit(request: AuthenticationRequest, transport: unknown): Promise<Verdict> {
    if (this.#insiders.admits(request)) return { type: 'allow' };
    await this.#opened;
    const { moved } = this.#whereabouts;
    if (moved === 'suspended') return { type: 'deny', reason: SERVER_UNAVAILABLE };
    const verdict = await this.#judge(request, transport instanceof SocketTransport ? transport.context : {});
    if (verdict.type === 'deny') this.authenticationFailures += 1;
    // Only who would be let in hears where the room is.
    if (moved && verdict.type === 'allow') return { type: 'redirect', server: moved.room, permanent: moved.permanent ?? false };
    return verdict;
  }

  #judge(request: AuthenticationRequest, context: AuthenticationContext): Verdict | PromiseLike<Verdict> {
    const identity = this.#identities.get(context);
    if (identity) return welcome(identity);
    // The sessions of these and of the room's own clients are nobody else's.
    if (request.clientId.startsWith('$')) return { type: 'deny', reason: CLIENT_IDENTIFIER_NOT_VALID };
    return this.authenticate(request, context);
  }

  protected override mustBeHere(): void {
    if (!this.#whereabouts.moved) return;
    throw new MqttError('refused', 'This room is moving, or has moved.', { reason: SERVER_UNAVAILABLE });
  }

  #where(): Whereabouts {
    try {
      return new Whereabouts(this.ctx.storage, this.settings.moved);
    } catch (error) {
      this.log.error('settingsRefused', { message: (error as Error).message });
      return new Whereabouts(this.ctx.storage, undefined);
    }
  }

  /**
   * Lets nobody in any more, tells all clients to come back later (0x8B), and resolves with all that this room keeps, which nobody
   * changes from now on. Then another room may import it, and this one `move` there. For the Worker's own code.
   */
  async suspend(): Promise<Uint8Array> {
    this.#whereabouts.suspend();
    await this.#forwards.close();
    // What is exported is what is imported: nothing happens in between.
    await this.broker.import(await this.broker.export());
    return this.broker.export();
  }

  /**
   * Sends clients to another room: MQTT 5 ones are told where it is, ones of 3.1.1 that this one is unavailable. Without a place
   * they are let in here again, as also after `suspend`. For the Worker's own code.
   * @throws RangeError when that is no address of a WebSocket.
   */
  async move(moved?: Moved): Promise<void> {
    this.#whereabouts.move(moved);
    await this.#forwards.close();
    if (moved) await this.broker.move(moved.room, { permanent: moved.permanent ?? false });
    else await this.#forwards.open(this.broker);
  }

  #hold(socket: WebSocket, context: AuthenticationContext): SocketTransport {
    const transport = new SocketTransport(socket, context, this.#shared, () => this.#transports.delete(socket));
    this.#transports.set(socket, transport);
    return transport;
  }

  /** The transport of a socket that outlived the object. */
  #wake(socket: WebSocket): SocketTransport[] {
    if (socket.readyState !== WebSocket.OPEN) return [];
    const transport = this.#hold(socket, fromTags(this.ctx.getTags(socket)));
    if (transport.state) return [transport];
    // An earlier deployment, which remembered nothing, accepted it: told to come back.
    this.#transports.delete(socket);
    socket.close(SERVICE_RESTART, 'The broker was restarted.');
    return [];
  }

  #lost(socket: WebSocket): void {
    const transport = this.#transports.get(socket);
    this.#transports.delete(socket);
    transport?.onclose?.();
  }
}

function tooManyConnections(sentence: string): Response {
  return new Response(`${sentence}: wait a few seconds.\n`, { status: 429, headers: { 'Retry-After': '10' } });
}
