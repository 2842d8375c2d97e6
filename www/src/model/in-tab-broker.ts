// The broker that lives in this page: opened, killed and restored at will, with simulated sensors. Knows nothing of the page.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Broker, BrokerEvent, BrokerStatistics, BrokerWebSocket, RecordStorage } from 'mqlite/broker';
import { LIMITS } from './broker-limits.ts';
import { type Crash, takeInventory } from './inventory.ts';
import { LeasedStorage, replaceRecords } from './leased-storage.ts';
import { library } from './library.ts';
import { MemoryStorage } from './memory-storage.ts';
import { Sensors } from './sensors.ts';
import { keep, memoryStore, recall, type Store } from './store.ts';
import type { WireLog } from './wire-log.ts';

/** Where the broker stands. `failed` says that it could not be opened. */
export type InTabStatus = 'closed' | 'opening' | 'open' | 'killed' | 'failed';

/** Where it keeps what outlives it: until the page goes, or in the browser. */
export type StorageKind = 'memory' | 'indexedDb';

/** A broker in this page. Its storage outlives it. */
export class InTabBroker {
  readonly #status = signal<InTabStatus>('closed');
  readonly #statistics = signal<BrokerStatistics | null>(null);
  readonly #crash = signal<Crash | null>(null);
  readonly #kind: Signal<StorageKind>;
  readonly #storageError = signal<unknown>(null);
  readonly #store: Store;
  readonly #sockets = new Set<BrokerWebSocket>();
  readonly #listeners = new Set<(event: BrokerEvent) => void>();
  #kept: RecordStorage | null = null;
  #lease: LeasedStorage | null = null;
  #broker: Broker | null = null;
  /** Resolves when the storage is free. */
  #isFree: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #error: unknown;
  #unreachable = () => new Error(NOT_RUNNING);

  /** The publishers that are there from the beginning. */
  readonly sensors: Sensors;

  /** `wire` is where what the sensors send and receive is logged; `store` remembers where the broker keeps things. */
  constructor(wire: WireLog, store: Store = memoryStore()) {
    this.sensors = new Sensors(() => this.socket(), wire);
    this.#store = store;
    this.#kind = signal(recall(store, KIND) === 'indexedDb' ? 'indexedDb' : 'memory');
  }

  get status(): ReadonlySignal<InTabStatus> {
    return this.#status;
  }

  /** What the broker counts, looked at twice a second; `null` until it runs. */
  get statistics(): ReadonlySignal<BrokerStatistics | null> {
    return this.#statistics;
  }

  /** The last time that it was killed. */
  get crash(): ReadonlySignal<Crash | null> {
    return this.#crash;
  }

  /** Where it keeps what outlives it. */
  get storageKind(): ReadonlySignal<StorageKind> {
    return this.#kind;
  }

  /** Why nothing is kept there: then all is in memory. */
  get storageError(): ReadonlySignal<unknown> {
    return this.#storageError;
  }

  /** Why it could not be opened. */
  get error(): unknown {
    return this.#error;
  }

  /** The broker itself, while it runs. */
  get running(): Broker | null {
    return this.#broker;
  }

  /** What its storage holds; `null` before it ran. */
  get storage(): LeasedStorage | null {
    return this.#lease;
  }

  /** Opens it, with what an earlier one left in the storage. Never rejects: the status tells. */
  async open(): Promise<void> {
    if (this.#broker || this.#status.value === 'opening') return;
    this.#status.value = 'opening';
    this.#storageError.value = null;
    try {
      const { Broker, MqttError } = await library();
      this.#unreachable = () => new MqttError('unreachable', NOT_RUNNING);
      await this.#isFree;
      this.#kept ??= await storageOf(this.#kind.value);
      const lease = new LeasedStorage(this.#kept);
      this.#lease = lease;
      const onEvent = (event: BrokerEvent) => lease === this.#lease && this.#tell(event);
      this.#broker = await Broker.open({ ...LIMITS, storage: lease, storageFallback: 'memory', onEvent });
      if (this.#crash.value?.after === null) this.#crash.value = { ...this.#crash.value, after: takeInventory(this.#broker) };
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
    this.#crash.value = { before: takeInventory(broker), after: null };
    broker.abandon();
    this.#isFree = this.#lease?.abandon().catch(() => {}) ?? this.#isFree; // whoever opens it hears what is wrong
    this.#over('killed');
  }

  /** Opens a new one with what the storage has. */
  restore(): Promise<void> {
    return this.open();
  }

  /** Closes it, takes what is kept to the other storage, and opens it there. Where that fails, all stays as it was. */
  async keepIn(kind: StorageKind): Promise<void> {
    const broker = this.#broker;
    const old = this.#kept;
    if (!broker || !old || kind === this.#kind.value) return;
    const isBroken = this.#storageError.value !== null;
    this.#over('opening');
    let problem: unknown = null;
    try {
      await broker.close();
      const next = await storageOf(kind);
      await move(isBroken ? null : old, next);
      this.#kept = next;
      this.#kind.value = kind;
      keep(this.#store, KIND, kind);
    } catch (error) {
      problem = error;
    }
    this.#status.value = 'closed';
    await this.open();
    if (problem !== null) this.#storageError.value = problem;
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

  #over(status: 'killed' | 'opening'): void {
    this.#broker = null;
    clearInterval(this.#timer);
    if (status === 'killed') {
      for (const socket of [...this.#sockets]) socket.close();
      this.#sockets.clear();
    }
    this.#status.value = status;
  }

  #tell(event: BrokerEvent): void {
    if (event.type === 'storageFailed') this.#storageError.value = event.error;
    for (const listener of this.#listeners) listener(event);
  }

  #look(): void {
    if (this.#broker) this.#statistics.value = this.#broker.statistics();
  }
}

async function storageOf(kind: StorageKind): Promise<RecordStorage> {
  if (kind === 'memory') return new MemoryStorage();
  const { indexedDb } = await library();
  return indexedDb(DATABASE, { durability: 'relaxed', wait: false });
}

/** Takes all records to another storage and, when they are there, out of the old one. `null` has none. */
async function move(from: RecordStorage | null, to: RecordStorage): Promise<void> {
  try {
    await replaceRecords(to, from ? [...(await from.load())] : []);
  } catch (error) {
    await Promise.all([to.close?.(), from?.close?.()]);
    throw error;
  }
  if (!from) return;
  await replaceRecords(from, []);
  await from.close?.();
}

const NOT_RUNNING = 'The broker in this page does not run.';

const DATABASE = 'mqlite-console';
const KIND = 'storage';

/** Milliseconds between two looks at the statistics. */
const LOOK = 500;
