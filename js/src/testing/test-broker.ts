// A broker for tests: in the test's own process, in the test's own time, and with whatever is to go wrong.
/// <reference lib="esnext.disposable" preserve="true" />

import type { Broker } from '../broker.js';
import { checked, type ShapeOf } from '../check.js';
import type { Client } from '../client.js';
import { connectWith, type Supply } from '../connect.js';
import { MqttError } from '../error.js';
import type { BrokerOptions, ConnectOptions } from '../options.js';
import type { Acceptor } from '../server.js';
import { BROKER_OPTIONS } from '../shapes.js';
import type { Timer } from '../timer.js';
import { type Connectable, pair, toTransport, type Transport } from '../transport.js';
import { BrokerWebSocket } from '../web-socket.js';
import { mustBeWhole } from './check.js';
import { TestClock } from './clock.js';
import { TestConnection } from './connection.js';
import { type CutOptions, type Fault, type FaultOptions, Faults, seeded } from './faults.js';
import type { PacketChoice } from './filter.js';
import { Memory } from './memory.js';
import { Trace } from './trace.js';

/** How a test broker is opened: the limits and rights are those of a broker. */
export interface TestBrokerOptions extends Omit<BrokerOptions, Own> {
  /** What all comes from that is random, such as the delays of a client that reconnects: a whole number. Default 1. */
  seed?: number;
  /** What time it is at first, in milliseconds since 1970. Default the beginning of 2000. */
  startAt?: number;
  /** Packets that the trace keeps, at most. Default 10,000. */
  maximumTracePackets?: number;
}

/** How a broker goes away. */
export interface StopOptions {
  /** Whether it just vanishes, instead of telling its clients that it shuts down (0x8B). Default false. */
  crash?: boolean;
  /** Whether the next one knows what this one had made durable: sessions, retained messages, wills. Default true. */
  keepState?: boolean;
}

/** @internal What a test broker is made of. */
export interface Kit extends Supply {
  readonly Broker: typeof Broker;
}

/** A broker in the test's own process, with its clock, its trace, and what is to go wrong. */
export class TestBroker implements Acceptor, AsyncDisposable {
  /** The time of the broker and of the clients that `connect` makes. It stands still until it is advanced. */
  readonly clock: TestClock;
  /** The packets of all connections. */
  readonly trace: Trace;
  readonly #kit: Kit;
  readonly #options: BrokerOptions;
  readonly #random: { readonly faults: () => number; readonly broker: () => number; readonly clients: () => number };
  readonly #faults: Faults;
  readonly #memory = new Memory();
  readonly #connections = new Set<TestConnection>();
  readonly #clients = new Set<Client>();
  #broker: Broker | undefined;
  /** Of the broker. */
  #timer: Timer | undefined;
  #isRunning = false;
  #isClosed = false;
  #refusals = 0;
  #last = 0;

  private constructor(kit: Kit, options: BrokerOptions, seed: number, startAt: number, most: number) {
    this.#kit = kit;
    this.#options = options;
    this.#random = { faults: seeded(seed), broker: seeded(seed + 1), clients: seeded(seed + 2) };
    this.#faults = new Faults(this.#random.faults);
    this.clock = new TestClock(startAt);
    this.trace = new Trace(most);
  }

  /** @internal */
  static async open(kit: Kit, options: TestBrokerOptions): Promise<TestBroker> {
    const { seed = 1, startAt = START, maximumTracePackets = MOST_PACKETS, ...rest } = checked(options, TEST_BROKER_OPTIONS);
    mustBeWhole('seed', seed);
    mustBeWhole('startAt', startAt, { most: LATEST });
    mustBeWhole('maximumTracePackets', maximumTracePackets, { least: 1 });
    const opened = new TestBroker(kit, rest, seed, startAt, maximumTracePackets);
    await opened.start();
    return opened;
  }

  /** The broker: after a restart another one. While there is none, the last. */
  get broker(): Broker {
    return this.#broker as Broker;
  }

  /** The connections that are open, in the order in which they were opened. */
  get connections(): readonly TestConnection[] {
    return [...this.#connections];
  }

  /**
   * The connection of a client.
   * @throws MqttError `invalid-options` when it has none.
   */
  connection(clientId: string): TestConnection {
    const connection = this.connections.findLast((it) => it.clientId === clientId);
    if (connection) return connection;
    const names = this.connections.map((it) => JSON.stringify(it.clientId));
    throw new MqttError('invalid-options', `No client ${JSON.stringify(clientId)} is connected.`, {
      hint: names.length > 0 ? `There are ${names.join(', ')}.` : 'No client is.',
    });
  }

  /**
   * Connects a client of MQlite that lives in the time of this broker. It ends with the test broker at the latest.
   * @throws MqttError as `connect` of `mqlite` does.
   */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    this.#mustBeOpen();
    const acceptor: Acceptor = {
      accept: (connectable) => {
        if (!this.#accept(connectable)) throw new MqttError('unreachable', 'The test broker refuses the connection.');
      },
    };
    const client = await connectWith(this.#kit, acceptor, { ...this.clock.options(), ...options }, this.#random.clients);
    this.#clients.add(client);
    void client.ended.then(() => this.#clients.delete(client));
    return client;
  }

  /**
   * A connection for a client of your own: its end of it.
   * @throws MqttError `closed`.
   */
  transport(): Transport {
    const [ours, theirs] = pair();
    this.accept(ours);
    return theirs;
  }

  /**
   * A connection for an MQTT library that can be told which WebSocket to use. It fails as WebSockets do while there is no broker.
   * @throws MqttError `closed`.
   */
  webSocket(): BrokerWebSocket {
    const [ours, theirs] = pair();
    return new BrokerWebSocket(this.#accept(ours) ? theirs : undefined);
  }

  /**
   * Serves whatever is at the other end of a transport, as a broker does: `connect(t)` connects here again and again.
   * @throws MqttError `closed`.
   */
  accept(connectable: Connectable): void {
    this.#accept(connectable);
  }

  /**
   * Loses packets. No network that MQTT runs over does that in the midst of a connection: it shows what a client does when the
   * other side fails to answer.
   * @throws MqttError `invalid-options`.
   */
  drop(choice: PacketChoice, options: FaultOptions = {}): Fault {
    return this.#faults.drop(choice, options);
  }

  /**
   * Sends packets twice. As with `drop`, it is the other side that seems to err, not the network.
   * @throws MqttError `invalid-options`.
   */
  duplicate(choice: PacketChoice, options: FaultOptions = {}): Fault {
    return this.#faults.duplicate(choice, options);
  }

  /**
   * Lets packets arrive later, by so many milliseconds of this broker's time or by some number in a range. What is behind them
   * on the same connection waits too.
   * @throws MqttError `invalid-options`.
   */
  delay(choice: PacketChoice, milliseconds: number | readonly [least: number, most: number], options: FaultOptions = {}): Fault {
    return this.#faults.delay(choice, milliseconds, options);
  }

  /**
   * Cuts the connection at packets: before, within or behind them.
   * @throws MqttError `invalid-options`.
   */
  cut(choice: PacketChoice, options: CutOptions = {}): Fault {
    return this.#faults.cut(choice, options);
  }

  /**
   * Refuses the next connections: they end as soon as they are opened.
   * @throws MqttError `invalid-options`.
   */
  refuse(times = 1): void {
    mustBeWhole('times', times, { least: 1 });
    this.#refusals += times;
  }

  /**
   * Lets the broker go away, and another one come at once.
   * @throws MqttError `invalid-options` or `closed`.
   */
  async restart(options: StopOptions = {}): Promise<void> {
    await this.stop(options);
    await this.start();
  }

  /**
   * Lets the broker go away. Connections are refused until `start`.
   * @throws MqttError `invalid-options`.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { crash = false, keepState = true } = checked(options, STOP_OPTIONS);
    if (!this.#isRunning) return;
    this.#isRunning = false;
    if (crash) {
      this.broker.abandon();
      this.#timer?.clear();
      for (const connection of this.connections) connection.end('The broker has crashed.');
    } else {
      await this.broker.close();
    }
    if (!keepState) this.#memory.clear();
  }

  /**
   * Opens a broker where there is none.
   * @throws MqttError `closed`, or `invalid-options` where the options of the test broker cannot be.
   */
  async start(): Promise<void> {
    this.#mustBeOpen();
    if (this.#isRunning) return;
    const timed = this.clock.options();
    this.#timer = timed.timer;
    this.#broker = await this.#class().open({ ...this.#options, ...timed, storage: this.#memory });
    this.#isRunning = true;
  }

  /** Ends the clients that `connect` made, the broker, and every connection. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#faults.end();
    await Promise.allSettled([...this.#clients].map((client) => client.end()));
    await this.stop();
    for (const connection of this.connections) connection.cut();
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether it is served. */
  #accept(connectable: Connectable): boolean {
    this.#mustBeOpen();
    const client = toTransport(connectable);
    const connection = new TestConnection((this.#last += 1), client, {
      clock: this.clock,
      trace: this.trace,
      faults: this.#faults,
      describeReason: (reason) => this.#kit.artefact.describeReason(reason),
      ended: (ended) => this.#connections.delete(ended),
    });
    if (!this.#isRunning || this.#refusals > 0) {
      this.#refusals -= this.#isRunning ? 1 : 0;
      connection.end('It was refused.');
      return false;
    }
    this.#connections.add(connection);
    this.broker.accept(connection.brokerEnd);
    return true;
  }

  #class(): typeof Broker {
    const random = this.#random.broker;
    return class extends this.#kit.Broker {
      protected static override seed(): Uint8Array {
        return Uint8Array.from({ length: 32 }, () => random() * 0x100);
      }
    };
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new MqttError('closed', 'The test broker is closed.', { hint: 'Open another.' });
  }
}

/** Options that are the test broker's own to choose. */
type Own = 'storage' | 'storageFallback' | 'resume' | 'clock' | 'timer' | 'wasm';

const { storage: _, storageFallback: __, resume: ___, clock: ____, timer: _____, wasm: ______, ...REST } = BROKER_OPTIONS;

const TEST_BROKER_OPTIONS: ShapeOf<TestBrokerOptions> = { ...REST, seed: 'number', startAt: 'number', maximumTracePackets: 'number' };

const STOP_OPTIONS: ShapeOf<StopOptions> = { crash: 'boolean', keepState: 'boolean' };

/** 2000-01-01. */
const START = 946_684_800_000;

/** The latest time that a Date has. */
const LATEST = 8.64e15;

const MOST_PACKETS = 10_000;
