// A client's connections, one after the other: opens them, feeds the engine what they carry, and decides what follows their end.

import type { Artefact } from './artefact.js';
import { checked, payloadBytes } from './check.js';
import { Authenticator } from './authentication.js';
import { deferred } from './deferred.js';
import { Runner } from './engine.js';
import { engineOptions, present } from './engine-options.js';
import { MqttError, sentence } from './error.js';
import { handlerFailed, Listeners, type StatusChange } from './events.js';
import type { ClientEngine, ClientGlue, ClientHost, Records } from './glue/client.js';
import { reasonHint, UNANSWERED } from './hints.js';
import type { Journal } from './journal.js';
import { Limits } from './limits.js';
import type { ConnectOptions, ProtocolVersion, ServerProperties } from './options.js';
import type { Answer, Closed } from './outcome.js';
import { type Asker, Questions } from './questions.js';
import { PageTimer } from './page-timer.js';
import { isOffline, watchPresence } from './presence.js';
import { Detours, isDetour } from './redirect.js';
import { afterReason } from './refusals.js';
import { explanation, Requests } from './requests.js';
import { Routes } from './routes.js';
import { askServer, isConnection, openServer, type Server } from './server.js';
import { CREDENTIALS } from './shapes.js';
import { type ClientStatus, Course, type Next } from './status.js';
import type { MessageHandler } from './subscription.js';
import { Tap } from './tap.js';
import { Alarms, type Timer } from './timer.js';
import { toTransport } from './transport.js';
import { Wire } from './wire.js';

/** What the server said first. */
export interface Welcome {
  clientId: string;
  sessionPresent: boolean;
  server: ServerProperties;
}

/** An engine, and what it takes to keep it connected. */
export class Link implements Asker {
  readonly listeners = new Listeners();
  readonly limits: Limits;
  readonly requests: Requests;
  readonly routes: Routes;
  readonly questions: Questions;
  readonly ended: Promise<Closed>;
  welcome: Welcome;
  readonly #artefact: Artefact<ClientGlue>;
  readonly #server: Server;
  readonly #options: ConnectOptions;
  /** Whether the client ends with its first connection. */
  readonly #isOnce: boolean;
  readonly #clock: () => number;
  readonly #pageTimer: PageTimer | undefined;
  readonly #alarms: Alarms;
  /** The next attempt. */
  readonly #retry: Timer;
  readonly #runner: Runner<ClientEngine>;
  readonly #course: Course;
  /** Whether the server is told to forget the session at the end: nobody asked for it to be kept longer. */
  readonly #forgets: boolean;
  readonly #first = deferred<void>();
  readonly #end = deferred<Closed>();
  readonly #authenticator: Authenticator | undefined;
  readonly #journal: Journal | undefined;
  /** How long a connection may take to open. */
  readonly #limit: Timer;
  readonly #tap: Tap;
  /** The connection that there is, or was last. */
  #wire: Wire;
  #address: URL | undefined;
  readonly #detours: Detours;
  /** Of the attempt that is under way, or was last. */
  #attempt = 0;
  #version: ProtocolVersion;
  /** Why the client itself gives a connection up. */
  #reason: unknown;
  #hasConnected = false;
  /** Why there is no connection any more. */
  #last: { closed: Closed; error: MqttError } | undefined;
  #isOver = false;
  /** Settles when the storage is free for another client. */
  #stored: Promise<void> = Promise.resolve();
  #vigil: ReturnType<typeof setInterval> | undefined;
  #unwatch = () => {};

  /** With a storage there are a journal, and the records that it has. */
  constructor(
    artefact: Artefact<ClientGlue>,
    server: Server,
    options: ConnectOptions,
    random: () => number,
    journal?: Journal,
    records?: Records,
  ) {
    const { clock = Date.now, clientId = '' } = options;
    const timer = options.timer ?? new PageTimer(clock);
    this.#pageTimer = timer instanceof PageTimer ? timer : undefined;
    this.#isOnce = options.reconnect === false || isConnection(server);
    const reconnect = this.#isOnce ? undefined : (options.reconnect || {});
    this.#server = server;
    this.#options = options;
    this.#version = options.protocolVersion ?? 5;
    this.#clock = clock;
    this.#alarms = new Alarms(timer);
    this.#retry = this.#alarms.alarm();
    this.#tap = new Tap(this.listeners, {
      defer: (task) => this.#runner.defer(task),
      version: () => this.#version,
      describeReason: (reason) => artefact.describeReason(reason),
    });
    this.#limit = this.#alarms.alarm();
    this.#wire = this.#newWire(undefined);
    this.#detours = new Detours(server, options.redirect);
    this.#course = new Course(reconnect, random);
    const expiry = options.properties?.sessionExpiryInterval ?? (journal ? STORED : reconnect ? KEPT : undefined);
    this.#forgets = !journal && reconnect !== undefined && options.properties?.sessionExpiryInterval === undefined;
    this.welcome = { clientId, sessionPresent: false, server: {} };
    this.ended = this.#end.promise;
    this.#first.promise.catch(() => {}); // whoever waits for it hears of it
    const engine = new artefact.glue.ClientEngine(this.#host(), engineOptions(options, expiry), records);
    this.#artefact = artefact;
    this.#journal = journal;
    if (journal) journal.onfail = (error) => this.#over({ cause: 'lost', message: error.message }, error);
    this.#runner = new Runner(engine, {
      artefact,
      clock,
      timer: this.#alarms.alarm(),
      failed: (error) => {
        this.#over({ cause: 'lost', message: error.message }, error);
        this.listeners.report(error);
      },
    });
    this.limits = new Limits(this.#alarms, clock);
    this.requests = new Requests(artefact, this.#runner, this.limits, journal !== undefined);
    this.routes = new Routes(this.#runner, this.requests, this.listeners, options);
    this.questions = new Questions(this);
    this.#authenticator = options.authentication && new Authenticator(options.authentication, {
      answer: (authenticationData) => this.#runner.attempt((engine, now) => engine.answerAuthentication(now, { authenticationData })),
      failed: (error) => this.#giveUp(error),
      follow: () => this.#follow(),
    });
  }

  /**
   * @throws MqttError `packet-too-large` for what the outbox's storage could not take.
   */
  mustFit(payload: Uint8Array): void {
    const { maximumValueBytes = Number.POSITIVE_INFINITY } = this.#options.outbox?.storage ?? {};
    if (payload.length <= maximumValueBytes - BESIDE_PAYLOAD) return;
    throw new MqttError('packet-too-large', `The outbox's storage takes values of ${maximumValueBytes} bytes, and the message needs more.`, {
      hint: 'Send less at a time.',
    });
  }

  /** Whether whoever connects waits for the first attempt, and hears of its failure. */
  get #waits(): boolean {
    return this.#options.waitForConnection !== false;
  }

  get status(): ClientStatus {
    return this.#course.status;
  }

  /** Resolves when there was a connection. */
  get connected(): Promise<void> {
    return this.#first.promise;
  }

  get hasProperties(): boolean {
    return this.#version === 5;
  }

  subscribe(filter: string, qos: 0 | 1, handler: MessageHandler, ended: () => void): Promise<unknown> {
    const options = { qos, ...(this.hasProperties && { retainHandling: 'doNotSend' }) };
    return this.routes.subscribe([filter], { options, properties: {}, handler, manualAck: false, limits: {}, ended });
  }

  /** Makes the first attempt. Resolves when the client is connected, rejects when that attempt has failed: then the client has ended. */
  async open(): Promise<void> {
    this.#unwatch = watchPresence(() => this.#returned());
    this.#begin();
    if (!this.#waits) return;
    try {
      await this.#first.promise;
    } catch (error) {
      await this.ended; // then the storage is free for another attempt
      throw error;
    }
  }

  /** The network or the reader is back. */
  #returned(): void {
    if (this.status === 'connected') this.#runner.feed((engine, now) => engine.probe(now));
    else this.wake();
  }

  /** Tries now, if the client waits to try again. */
  wake(): void {
    if (this.#course.wake()) this.#begin();
  }

  /** Authenticates anew, on the connection that there is. */
  async authenticate(): Promise<void> {
    if (!this.#authenticator) {
      throw new MqttError('invalid-options', 'There is no authentication to begin anew: the option "authentication" was not given.');
    }
    if (this.status === 'connected') return this.#authenticator.again();
    throw new MqttError('interrupted', 'There is no connection.', { hint: 'The client authenticates with the next one by itself.' });
  }

  async end(reason: number, sessionExpiryInterval: number | undefined): Promise<void> {
    const expiry = sessionExpiryInterval ?? (this.#forgets ? 0 : undefined);
    const properties = expiry === undefined ? undefined : { sessionExpiryInterval: expiry };
    try {
      await this.#runner.attempt((engine, now) => engine.disconnect(now, reason, properties));
    } catch (error) {
      if ((error as MqttError).code !== 'closed') throw error;
    }
    this.#over({ cause: 'requested', message: 'The client disconnected.' });
    await this.#stored;
  }

  /** Makes an attempt. */
  #begin(): void {
    this.#reason = undefined;
    this.#tell({});
    this.#runner.defer(() => void this.#try());
  }

  async #try(): Promise<void> {
    this.#attempt += 1;
    const isStale = this.#follow();
    try {
      const credentials = await this.#credentials();
      if (isStale()) return;
      const place = await askServer(await this.#detours.next(this.#address));
      if (isStale()) return void (isConnection(place) && toTransport(place).close());
      const { transport, address } = openServer(place, isOffline);
      this.#address = address;
      this.#wire = this.#newWire(address);
      await this.#wire.open(transport, this.#options.responseTimeoutMillis ?? PATIENCE);
      if (isStale()) return;
      this.#runner.feed((engine, now) => engine.opened(now, credentials));
    } catch (error) {
      if (!isStale()) this.#failed(error);
    }
  }

  /** What this CONNECT says, if it is to be asked for. */
  async #credentials(): Promise<object | undefined> {
    const { credentials } = this.#options;
    if (!credentials && !this.#authenticator) return undefined;
    const said = credentials ? checked(await credentials(), CREDENTIALS) : this.#options;
    const { userName, password } = said;
    const authenticationData = await this.#authenticator?.begin();
    return {
      ...(userName !== undefined && { userName }),
      ...(password !== undefined && { password: payloadBytes(password) }),
      ...(authenticationData && { authenticationData }),
    };
  }

  #newWire(address: URL | undefined): Wire {
    return new Wire(this.#clock, this.#limit, this.#tap, address, {
      received: (bytes) => this.#runner.feed((engine, now) => engine.received(now, bytes)),
      closed: () => this.#closed(),
    });
  }

  /** Does this once all is durable that was written before, and in turn. */
  #durably(task: () => void): void {
    if (this.#journal) this.#journal.after(task);
    else task();
  }

  /** The transport is gone. While it opens that is for `open` to tell. */
  #closed(): void {
    this.#runner.feed((engine, now) => engine.closed(now));
  }

  #host(): ClientHost {
    return {
      send: (bytes) => {
        const [wire, packet] = [this.#wire, bytes.slice()];
        wire.whenFree(() => this.#durably(() => wire.send(packet)));
      },
      close: () => {
        const wire = this.#wire;
        this.#durably(() => wire.hangUp());
      },
      write: (key, value) => this.#journal?.write({ key: key.slice(), value: value?.slice() }),
      commit: () => this.#journal?.commit(),
      reject: (_, reason) => {
        const error = new MqttError('storage-failed', `A record in the storage cannot be used, and is left there: ${reason}.`);
        queueMicrotask(() => this.listeners.report(error));
      },
      connected: (sessionPresent, clientId, properties) => {
        this.#connected({ sessionPresent, clientId, server: present(properties as ServerProperties) });
      },
      refused: (reason, properties) => this.#refused(reason, properties as ServerProperties),
      place: (place, topic, subscriptions) => this.routes.place(place, topic, subscriptions),
      deliver: (messages, payloads, properties) => {
        const deliver = this.routes.arrived(messages, payloads, properties);
        this.#wire.whenFree(() => this.#runner.defer(deliver));
      },
      published: (tokens) => {
        const all = tokens.slice();
        this.#wire.whenFree(() => this.requests.published(all));
      },
      answered: (token, reasons, properties) => {
        const [reason = UNSPECIFIED_ERROR] = reasons; // each request has one filter
        const answer = { reason, ...present(properties as Omit<Answer, 'reason'>) };
        this.#wire.whenFree(() => this.requests.answered(token, answer));
      },
      failed: (token, code, message) => this.requests.failed(token, code, message),
      subscriptionLost: (number, reason, message) => {
        const why = [`${this.#artefact.describeReason(reason)}.`, ...explanation(message)].join(' ');
        this.#wire.whenFree(() => this.#runner.defer(() => this.routes.lost(number, reason, why)));
      },
      authenticate: (reason, properties) => {
        const { authenticationData } = properties as ServerProperties;
        this.#runner.defer(() => void this.#authenticator?.challenged(reason, authenticationData));
      },
      disconnected: (cause, reason, message, properties) => {
        this.#disconnected(cause as Closed['cause'], reason, message, (properties ?? {}) as ServerProperties);
      },
    };
  }

  /** The server has accepted the client, which may want to know first whether it is the right server. */
  #connected(welcome: Welcome): void {
    if (!this.#authenticator) return this.#welcomed(welcome);
    const isStale = this.#follow();
    const release = this.#wire.hold();
    this.#runner.defer(() => {
      this.#authenticator?.finish(welcome.server.authenticationData).then(
        () => {
          if (isStale()) return;
          this.#welcomed(welcome);
          release();
        },
        (error: unknown) => !isStale() && this.#giveUp(error),
      );
    });
  }

  #welcomed(welcome: Welcome): void {
    this.#hasConnected = true;
    this.welcome = welcome;
    const keepAlive = welcome.server.serverKeepAlive ?? this.#options.keepAlive ?? LEISURELY;
    if (this.#pageTimer) this.#pageTimer.isNeeded = keepAlive > 0 && keepAlive < LEISURELY;
    this.#course.accepted(this.#clock());
    this.#first.resolve();
    this.#tell({ sessionPresent: welcome.sessionPresent });
  }

  #refused(reason: number, { reasonString, serverReference }: ServerProperties): void {
    const why = [`The server refused the connection: ${this.#artefact.describeReason(reason)}.`, ...explanation(reasonString)];
    const hint = serverReference === undefined ? reasonHint(reason) : `It names another server: ${serverReference}.`;
    const error = new MqttError('refused', why.join(' '), { reason, reasonString, hint });
    if (reason === UNSUPPORTED_PROTOCOL_VERSION && this.#canFallBack) return this.#fallBack(error);
    this.#sentAway({ cause: 'server', reason, message: error.message, ...(serverReference !== undefined && { serverReference }) }, error);
  }

  #disconnected(cause: Closed['cause'], reason: number | undefined, why: string, { reasonString, serverReference }: ServerProperties): void {
    if (cause === 'lost') this.#wire.hangUp(); // otherwise the engine has said so
    const given = this.#reason;
    this.#reason = undefined;
    if (given !== undefined) return this.#failed(given);
    const message = sentence(why);
    const closed: Closed = {
      cause,
      message,
      ...(reason !== undefined && { reason }),
      ...(serverReference !== undefined && { serverReference }),
    };
    const hint = this.#wire.isAnswered ? reasonHint(reason) : UNANSWERED;
    const error = new MqttError('closed', `The connection is over: ${message}`, { reason, reasonString, hint });
    if (cause === 'requested') return this.#over(closed);
    const { why: said } = this.#wire;
    if (said) return this.#lost({ cause, message: said.message }, said, HOPELESS.test(said.code) ? 'never' : 'later');
    if (cause === 'server') this.#sentAway(closed, error);
    else this.#lost(closed, error, 'later');
  }

  /** Nobody named a version, the newer one has not been spoken yet, and it is not needed. */
  get #canFallBack(): boolean {
    return this.#options.protocolVersion === undefined && this.#version === 5 && !this.#hasConnected && !isConnection(this.#server) && !this.#authenticator;
  }

  /** The server knows MQTT 3.1.1 alone. */
  #fallBack(error: MqttError): void {
    this.#version = 4;
    this.#runner.defer(() => {
      this.#runner.attempt((engine) => engine.useVersion(4)).then(
        () => this.#lost({ cause: 'server', message: error.message }, error, 'now'),
        (cause: MqttError) => this.#lost({ cause: 'server', message: cause.message }, cause, 'never'),
      );
    });
  }

  /** The server has said why it does not want the client, or where it is to go instead. */
  #sentAway(closed: Closed, error: MqttError): void {
    const { reason = UNSPECIFIED_ERROR } = closed;
    const asksAgain = this.#options.credentials !== undefined || typeof this.#server === 'function';
    const next = afterReason(reason, { asksAgain });
    const canGo = !(this.#isOnce && this.#hasConnected);
    const goes = canGo && this.#detours.follow({ closed, error, next }, this.#course.hasLasted(this.#clock()));
    this.#lost(closed, error, goes ? 'now' : next);
  }

  /** What somebody threw makes this connection useless. */
  #giveUp(error: unknown): void {
    this.#wire.hangUp();
    this.#reason = error;
    this.#closed();
  }

  /** Tells later on whether the connection of now is over. */
  #follow(): () => boolean {
    const attempt = this.#attempt;
    return () => attempt !== this.#attempt;
  }

  /** An attempt came to nothing before the engine knew of it, or because of a function of the application. */
  #failed(cause: unknown): void {
    if (isDetour(cause)) return this.#lost(cause.closed, cause.error, cause.next);
    const error = cause instanceof MqttError ? cause : handlerFailed(cause);
    const next = error.code === 'offline' ? 'online' : FINAL.test(error.code) ? 'never' : 'later';
    this.#wire.hangUp();
    // A broker that is closed says no more than that; what it said before says why.
    const last = error.code === 'closed' ? this.#last : undefined;
    this.#lost(last?.closed ?? { cause: 'lost', message: error.message }, last?.error ?? error, next);
  }

  /** There is no connection, or no more. */
  #lost(closed: Closed, error: MqttError, next: Next): void {
    this.#attempt += 1;
    this.#last = { closed, error };
    this.#authenticator?.lost(error);
    const isLast = this.#waits && !this.#hasConnected && next !== 'now';
    this.#course.lost(this.#clock(), isLast ? 'never' : next);
    if (this.#course.status === 'ended') return this.#over(closed, error);
    if (this.#course.status === 'connecting') return this.#begin();
    const { dueAt } = this.#course;
    if (dueAt !== undefined) this.#retry.set(dueAt, () => this.wake());
    this.#tell({ error, ...(dueAt !== undefined && { nextAttemptAt: dueAt }) });
  }

  /** Nothing follows. There is an error unless somebody wanted it. */
  #over(closed: Closed, error?: MqttError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#attempt += 1;
    this.#course.end();
    this.#unwatch();
    const wire = this.#wire;
    if (error) wire.hangUp();
    else this.#durably(() => wire.hangUp()); // after the DISCONNECT
    const reason = error ?? new MqttError('closed', `The connection is over: ${closed.message}`);
    this.#first.reject(reason);
    this.requests.interruptAll(closed);
    this.questions.end(reason);
    this.#authenticator?.lost(reason);
    this.routes.end(error);
    this.#runner.end(reason);
    this.#alarms.clear();
    this.#pageTimer?.end();
    this.#tell(error ? { error } : {});
    this.#stored = this.#closeJournal();
    this.#stored.catch(() => {}).then(() => this.#end.resolve(closed));
  }

  /** Lets go of the storage once it has everything. */
  async #closeJournal(): Promise<void> {
    try {
      await this.#journal?.settled();
    } finally {
      await this.#journal?.close();
    }
  }

  #tell(change: StatusChange): void {
    const { status } = this;
    const isUnsettled = status === 'connecting' || status === 'waiting';
    if (!isUnsettled) {
      clearInterval(this.#vigil);
      this.#vigil = undefined;
    } else {
      // Keeps Node from ending while the client is about to come back.
      this.#vigil ??= setInterval(() => {}, LONGEST_TIMEOUT);
    }
    this.#runner.defer(() => this.listeners.emit('status', status, change));
  }
}

/** Errors before a connection that another attempt does not mend. */
const FINAL = /^(invalid-options|unsupported|closed|broken|authentication-failed|storage-.*)$/;

/** The same of what may be begun anew for each attempt, as a SharedWorker that failed is. */
const HOPELESS = /^(invalid-options|unsupported)$/;

/** Seconds of a Keep Alive for which it is often enough that a page is woken once a minute. */
const LEISURELY = 120;

/** Seconds that the server keeps the session of a client that comes back, unless somebody says otherwise. */
const KEPT = 120;

/** The same, of a client that comes back after it was ended: a day. */
const STORED = 86_400;

/** Bytes that a record has room for beside a payload: a topic and properties. */
const BESIDE_PAYLOAD = 1 << 17;

/** Milliseconds that opening may take, unless the options say otherwise. */
const PATIENCE = 10_000;

/** Milliseconds: `setTimeout` takes no more. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

// Reason Codes; those from UNSPECIFIED_ERROR on are failures.
const UNSPECIFIED_ERROR = 0x80;
const UNSUPPORTED_PROTOCOL_VERSION = 0x84;
