// Simulated devices, each a client of the broker in this page. Knows nothing of who listens.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { BrokerWebSocket, Client, ClientStatus } from 'mqlite/broker';
import { Faults } from './faults.ts';
import { library } from './library.ts';
import { tapped } from './tapped-transport.ts';
import type { Participant, WireLog } from './wire-log.ts';

/** The devices, all started or all stopped. */
export class Sensors {
  readonly #socket: () => BrokerWebSocket;
  readonly #isRunning = signal(false);
  readonly #wire: WireLog;
  readonly #clients = new Map<Client, Participant>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Counts the starts, so that what a stop came before ends itself. */
  #run = 0;

  constructor(socket: () => BrokerWebSocket, wire: WireLog) {
    this.#socket = socket;
    this.#wire = wire;
  }

  get isRunning(): ReadonlySignal<boolean> {
    return this.#isRunning;
  }

  /** Connects them, and has each publish at once and from then on. */
  async start(): Promise<void> {
    if (this.#isRunning.value) return;
    this.#isRunning.value = true;
    this.#run += 1;
    const run = this.#run;
    await Promise.all(DEVICES.map((device) => this.#start(device, run)));
  }

  /** Ends them with a DISCONNECT. */
  async stop(): Promise<void> {
    this.#run += 1;
    this.#isRunning.value = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const clients = [...this.#clients];
    this.#clients.clear();
    await Promise.all(clients.map(([client, party]) => this.#end(client, party)));
  }

  async #start({ clientId, topic, readings }: Device, run: number): Promise<void> {
    const { connect } = await library();
    const target = { log: this.#wire, party: this.#wire.join('tab', 'sensor'), faults: new Faults() };
    const client = await connect(() => tapped(this.#socket(), target), {
      clientId,
      will: { topic: `${topic}/status`, payload: 'offline', retain: true },
      waitForConnection: false,
      reconnect: { minimumDelayMillis: 500, maximumDelayMillis: 2_000 },
    });
    if (run !== this.#run) return this.#end(client, target.party);
    this.#clients.set(client, target.party);
    const begin = once(() => {
      for (const reading of readings) this.#repeat(client, `${topic}/${reading.name}`, reading);
    });
    const greet = (status: ClientStatus) => {
      if (status !== 'connected') return;
      // Retained, so that whoever comes later knows too. What fails is said again at the next connection.
      client.publish(`${topic}/status`, 'online', { qos: 1, retain: true }).catch(() => {});
      begin();
    };
    client.on('status', greet);
    greet(client.status);
  }

  async #end(client: Client, party: Participant): Promise<void> {
    await client.end({ reason: DISCONNECT_WITH_WILL }).catch(() => {}); // it is over in any case
    this.#wire.leave(party);
  }

  #repeat(client: Client, topic: string, reading: Reading): void {
    if (client.status === 'connected') client.publish(topic, reading.next(), { qos: reading.qos ?? 0 }).catch(() => {});
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#repeat(client, topic, reading);
    }, reading.every * (0.9 + Math.random() * 0.2));
    this.#timers.add(timer);
  }
}

function once(task: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) task();
    isDone = true;
  };
}

interface Device {
  clientId: string;
  topic: string;
  readings: Reading[];
}

interface Reading {
  name: string;
  /** Milliseconds. */
  every: number;
  qos?: 0 | 1 | 2;
  next: () => string | object;
}

/** A value that wanders about its middle, in the given steps and decimals. */
function wander(middle: number, reach: number, step: number, decimals = 1): () => number {
  let value = middle;
  return () => {
    value += (Math.random() - 0.5) * 2 * step + (middle - value) * (step / reach) * 0.3;
    return Number(Math.min(middle + reach, Math.max(middle - reach, value)).toFixed(decimals));
  };
}

function text(next: () => number): () => string {
  return () => String(next());
}

function meter(): () => object {
  const [power, voltage] = [wander(420, 300, 40, 0), wander(230, 4, 0.6)];
  let energy = 1_284.2;
  return () => {
    const watts = power();
    energy += watts / 3_600_000;
    return { power: watts, voltage: voltage(), energy: Number(energy.toFixed(3)) };
  };
}

function door(): () => object {
  let isOpen = false;
  return () => {
    isOpen = !isOpen;
    return { open: isOpen, at: new Date().toISOString() };
  };
}

const DEVICES: Device[] = [
  {
    clientId: 'sensor-10',
    topic: 'sensor/10',
    readings: [
      { name: 'temperature', every: 1_000, next: text(wander(21.5, 4, 0.3)) },
      { name: 'humidity', every: 2_000, next: text(wander(46, 15, 0.8)) },
    ],
  },
  {
    clientId: 'sensor-11',
    topic: 'sensor/11',
    readings: [
      { name: 'temperature', every: 1_500, next: text(wander(18, 4, 0.3)) },
      { name: 'humidity', every: 3_000, next: text(wander(58, 15, 0.8)) },
    ],
  },
  { clientId: 'sensor-12', topic: 'sensor/12', readings: [{ name: 'temperature', every: 2_000, next: text(wander(-18, 3, 0.2)) }] },
  { clientId: 'meter-1', topic: 'meter/1', readings: [{ name: 'power', every: 1_000, qos: 1, next: meter() }] },
  { clientId: 'door-3', topic: 'door/3', readings: [{ name: 'state', every: 8_000, qos: 2, next: door() }] },
];

/** Disconnect with Will Message: the status then says `offline`. */
const DISCONNECT_WITH_WILL = 0x04;
