// The broker for JavaScript: connections are transports, verdicts are promises.

import { checked, checkText, payloadBytes } from './check.js';
import { type Client, connectOver } from './client.js';
import { BrokerEngine, type BrokerHost, load, refusing, Runner } from './engine.js';
import { attempt, MqttError, report } from './error.js';
import type { Payload, PublishOptions } from './message.js';
import type {
  AuthenticationRequest,
  BrokerEvent,
  BrokerOptions,
  BrokerStatistics,
  ConnectOptions,
  Verdict,
} from './options.js';
import { BROKER_OPTIONS, PUBLISH_OPTIONS, VERDICTS } from './shapes.js';
import { letProcessEnd, SystemTimer } from './timer.js';
import { type Connectable, pair, toBytes, toTransport, type Transport } from './transport.js';
import { BrokerWebSocket } from './web-socket.js';

/** An MQTT broker that lives in this program. It keeps its state in memory. */
export class Broker {
  readonly #runner: Runner<BrokerEngine>;
  readonly #authenticate: BrokerOptions['authenticate'];
  readonly #onEvent: BrokerOptions['onEvent'];
  readonly #transports = new Map<number, Transport>();
  /** Connections that have not written everything yet. */
  readonly #writing = new Set<number>();
  #watch: ReturnType<typeof setInterval> | undefined;
  #lastConnection = 0;
  #isClosed = false;

  private constructor(options: BrokerOptions) {
    const { grants, authenticate, onEvent, clock = Date.now, timer, wasm: _, ...limits } = options;
    if (grants && authenticate) {
      throw new MqttError('invalid-options', 'The option "grants" counts for nothing beside "authenticate".', {
        hint: 'Give each client its grants with the verdict.',
      });
    }
    this.#authenticate = authenticate;
    this.#onEvent = onEvent;
    const policy = { asks: authenticate !== undefined, reports: onEvent !== undefined, grants };
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const engine = new BrokerEngine(this.#host(), limits, policy, seed);
    this.#runner = new Runner(engine, {
      clock,
      timer: timer ?? new SystemTimer(clock),
      failed: (error) => {
        this.#closeAll();
        report(error);
      },
    });
  }

  /**
   * Opens a broker without sessions.
   * @throws MqttError `invalid-options`, or `unsupported` where there is no WebAssembly.
   */
  static async open(options: BrokerOptions = {}): Promise<Broker> {
    const known = checked(options, BROKER_OPTIONS);
    await load(known.wasm);
    return refusing(() => new this(known));
  }

  /**
   * Serves the client at the other end of a WebSocket, a MessagePort or any other transport, until either side closes it.
   * @throws MqttError `closed`.
   */
  accept(connectable: Connectable): void {
    this.#runner.look(() => {});
    const transport = toTransport(connectable);
    const connection = (this.#lastConnection += 1);
    this.#transports.set(connection, transport);
    transport.onmessage = ({ data }) => {
      const bytes = toBytes(data);
      if (bytes) return this.#runner.feed((engine, now) => engine.received(now, connection, bytes));
      this.#hangUp(connection);
      this.#lost(connection);
    };
    transport.onclose = () => this.#lost(connection);
    this.#runner.feed((engine, now) => engine.opened(now, connection));
  }

  /**
   * A client of this broker, in this program.
   * @throws MqttError `refused`, `invalid-options` or `closed`.
   */
  connect(options: ConnectOptions = {}): Promise<Client> {
    const [ours, theirs] = pair();
    const open = () => {
      this.accept(ours);
      return theirs;
    };
    return connectOver(open, options);
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
   * Publishes a message that comes from no client. Resolves when the broker has taken it.
   * @throws MqttError `invalid-options` or `closed`. A topic that is none is reported as an event.
   */
  async publish(topic: string, payload: Payload, options: PublishOptions = {}): Promise<void> {
    checkText('topic', topic);
    const { qos = 0, retain = false, properties } = checked(options, PUBLISH_OPTIONS);
    const bytes = payloadBytes(payload);
    await this.#runner.attempt((engine, now) => engine.publish(now, topic, bytes, qos, retain, properties));
  }

  /**
   * What the broker counts.
   * @throws MqttError `closed`, or `busy` within a transport's own methods.
   */
  statistics(): BrokerStatistics {
    return this.#runner.look((engine) => engine.statistics() as BrokerStatistics);
  }

  /** Tells every client that the broker goes (0x8B), closes all connections, and forgets everything. */
  close(): void {
    this.#isClosed = true;
    this.#runner.feed((engine, now) => engine.shutDown(now));
    this.#runner.feed(() => {
      this.#runner.end(new MqttError('closed', 'The broker is closed.', { hint: 'Open another.' }));
      this.#closeAll();
    });
  }

  #host(): BrokerHost {
    return {
      send: (connection, bytes) => this.#send(connection, bytes.slice()),
      close: (connection) => this.#hangUp(connection),
      authenticate: (connection, request) => {
        this.#runner.defer(() => void this.#ask(connection, request as AuthenticationRequest));
      },
      report: (event) => this.#runner.defer(() => void attempt(() => this.#onEvent?.(event as BrokerEvent))),
    };
  }

  #send(connection: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    const transport = this.#transports.get(connection);
    if (!transport) return true;
    try {
      transport.send(bytes);
      if (!transport.bufferedAmount) return true;
    } catch {
      this.#hangUp(connection);
      this.#lost(connection);
      return true;
    }
    this.#writing.add(connection);
    this.#watch ??= setInterval(() => this.#look(), WATCH_INTERVAL);
    letProcessEnd(this.#watch);
    return false;
  }

  /** Which connections have written everything: transports do not say so themselves. */
  #look(): void {
    for (const connection of this.#writing) {
      if (this.#transports.get(connection)?.bufferedAmount) continue;
      this.#writing.delete(connection);
      this.#runner.feed((engine, now) => engine.writable(now, connection));
    }
    if (this.#writing.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** The other side, or the network, has closed it. */
  #lost(connection: number): void {
    this.#release(connection);
    this.#runner.feed((engine, now) => engine.closed(now, connection));
  }

  /** This side closes it. */
  #hangUp(connection: number): void {
    try {
      this.#release(connection)?.close();
    } catch (error) {
      report(error);
    }
  }

  #release(connection: number): Transport | undefined {
    const transport = this.#transports.get(connection);
    if (!transport) return undefined;
    this.#transports.delete(connection);
    transport.onmessage = null;
    transport.onclose = null;
    return transport;
  }

  #closeAll(): void {
    for (const connection of [...this.#transports.keys()]) this.#hangUp(connection);
    clearInterval(this.#watch);
  }

  async #ask(connection: number, request: AuthenticationRequest): Promise<void> {
    try {
      const verdict = understood(await this.#authenticate?.(request));
      await this.#runner.attempt((engine, now) => engine.authenticated(now, connection, verdict));
    } catch (error) {
      if (this.#isClosed) return;
      report(error);
      const verdict: Verdict = { type: 'deny', reason: UNSPECIFIED_ERROR };
      this.#runner.feed((engine, now) => engine.authenticated(now, connection, verdict));
    }
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

/** Milliseconds between two looks at connections that are still writing. */
const WATCH_INTERVAL = 10;

/** A Reason Code. */
const UNSPECIFIED_ERROR = 0x80;
