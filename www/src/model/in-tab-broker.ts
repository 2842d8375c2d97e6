// The broker that lives in this page: opened, killed and restored at will, with simulated sensors. Knows nothing of the page.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Broker, BrokerEvent, BrokerStatistics, BrokerWebSocket } from 'mqlite/broker';
import { library } from './library.ts';
import { MemoryStorage } from './memory-storage.ts';
import { Sensors } from './sensors.ts';
import type { WireLog } from './wire-log.ts';

/** Where the broker stands. `failed` says that it could not be opened. */
export type InTabStatus = 'closed' | 'opening' | 'open' | 'killed' | 'failed';

/** A broker in this page. Its storage outlives it, until the page goes. */
export class InTabBroker {
  readonly #status = signal<InTabStatus>('closed');
  readonly #statistics = signal<BrokerStatistics | null>(null);
  readonly #storage = new MemoryStorage();
  readonly #sockets = new Set<BrokerWebSocket>();
  readonly #listeners = new Set<(event: BrokerEvent) => void>();
  #broker: Broker | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #error: unknown;
  #unreachable = () => new Error(NOT_RUNNING);

  /** The publishers that are there from the beginning. */
  readonly sensors: Sensors;

  /** `wire` is where what the sensors send and receive is logged. */
  constructor(wire: WireLog) {
    this.sensors = new Sensors(() => this.socket(), wire);
  }

  get status(): ReadonlySignal<InTabStatus> {
    return this.#status;
  }

  /** What the broker counts, looked at twice a second; `null` until it runs. */
  get statistics(): ReadonlySignal<BrokerStatistics | null> {
    return this.#statistics;
  }

  /** Why it could not be opened. */
  get error(): unknown {
    return this.#error;
  }

  /** The broker itself, while it runs. */
  get running(): Broker | null {
    return this.#broker;
  }

  /** What its storage holds. */
  get storage(): MemoryStorage {
    return this.#storage;
  }

  /** Opens it, with what an earlier one left in the storage. Never rejects: the status tells. */
  async open(): Promise<void> {
    if (this.#broker || this.#status.value === 'opening') return;
    this.#status.value = 'opening';
    try {
      const { Broker, MqttError } = await library();
      this.#unreachable = () => new MqttError('unreachable', NOT_RUNNING);
      const onEvent = (event: BrokerEvent) => this.#tell(event);
      this.#broker = await Broker.open({ storage: this.#storage, sysIntervalSeconds: SYS_INTERVAL, onEvent });
      this.#status.value = 'open';
      this.#look();
      this.#timer = setInterval(() => this.#look(), LOOK);
    } catch (error) {
      this.#error = error;
      this.#status.value = 'failed';
    }
  }

  /** Ends it as a crash does: nobody is told, and what is in no storage is lost. */
  kill(): void {
    const broker = this.#broker;
    if (!broker) return;
    this.#broker = null;
    clearInterval(this.#timer);
    broker.abandon();
    for (const socket of [...this.#sockets]) socket.close();
    this.#sockets.clear();
    this.#status.value = 'killed';
  }

  /** Opens a new one with what the storage has. */
  restore(): Promise<void> {
    return this.open();
  }

  /**
   * A connection to it, as a WebSocket.
   * @throws MqttError `unreachable` while it does not run.
   */
  socket(): BrokerWebSocket {
    if (!this.#broker) throw this.#unreachable();
    const socket = this.#broker.webSocket();
    this.#sockets.add(socket);
    socket.addEventListener('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** Hears what the broker reports; returns what ends that. */
  listen(listener: (event: BrokerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(event: BrokerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #look(): void {
    if (this.#broker) this.#statistics.value = this.#broker.statistics();
  }
}

const NOT_RUNNING = 'The broker in this page does not run.';

/** Milliseconds between two looks at the statistics. */
const LOOK = 500;

/** Seconds between two publications of `$SYS`. */
const SYS_INTERVAL = 5;
