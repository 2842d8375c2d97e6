// All packets that went over a test broker's connections, for looking at and waiting for.

import { checked } from '../check.js';
import { MqttError } from '../error.js';
import { type PacketChoice, type TracedPacket, toPredicate } from './filter.js';

/** How long somebody waits. */
export interface WaitOptions {
  /** Milliseconds of real time. Default 5,000. */
  timeout?: number;
}

/** A line of the trace: a packet, or what became of a connection. */
export type TraceEntry = TracedPacket | TraceNote;

export interface TraceNote {
  readonly at: number;
  readonly clientId: string;
  readonly connection: number;
  /** What happened, in a few words. */
  readonly note: string;
}

interface Waiting {
  readonly isMeant: (packet: TracedPacket) => boolean;
  readonly resolve: (packet: TracedPacket) => void;
}

/** The packets of all connections of a test broker. It keeps the latest. */
export class Trace {
  readonly #most: number;
  #entries: TraceEntry[] = [];
  #bytes = 0;
  #forgotten = 0;
  readonly #waiting = new Set<Waiting>();

  /** @internal */
  constructor(most: number) {
    this.#most = most;
  }

  /** The packets, oldest first. */
  get packets(): readonly TracedPacket[] {
    return this.#entries.filter(isPacket);
  }

  /** How many entries had to go to make room: packets, and notes on connections. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /**
   * The packets that are meant, oldest first.
   * @throws MqttError `invalid-options`.
   */
  filter(choice: PacketChoice): TracedPacket[] {
    return this.packets.filter(toPredicate(choice));
  }

  /**
   * The first packet that is meant, if there was one.
   * @throws MqttError `invalid-options`.
   */
  find(choice: PacketChoice): TracedPacket | undefined {
    return this.packets.find(toPredicate(choice));
  }

  /**
   * Resolves with the first packet that is meant: one of those that there were, or as soon as one comes.
   * @throws MqttError `timeout`, with the end of the trace, or `invalid-options`.
   */
  async waitFor(choice: PacketChoice, options: WaitOptions = {}): Promise<TracedPacket> {
    return this.find(choice) ?? this.next(choice, options);
  }

  /**
   * Resolves with the next packet that is meant: none of those that there were.
   * @throws MqttError `timeout`, with the end of the trace, or `invalid-options`.
   */
  async next(choice: PacketChoice, options: WaitOptions = {}): Promise<TracedPacket> {
    const { timeout = PATIENCE } = checked(options, { timeout: 'milliseconds' });
    const isMeant = toPredicate(choice);
    return new Promise((resolve, reject) => {
      const handle = later(() => {
        this.#waiting.delete(waiting);
        const last = this.#entries.slice(-LAST).map(line).join('\n');
        reject(new MqttError('timeout', `No such packet came within ${timeout} ms. The last ones were:\n${last || '(none)'}`, {
          hint: 'Time stands still here: something may be due only after clock.advance().',
        }));
      }, timeout);
      const waiting: Waiting = {
        isMeant,
        resolve: (packet) => {
          never(handle);
          this.#waiting.delete(waiting);
          resolve(packet);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /**
   * A line for each packet and for what became of connections: milliseconds, the client, `→` to the broker or `←` from it.
   * @throws MqttError `invalid-options`.
   */
  text(choice?: PacketChoice): string {
    const isMeant = choice === undefined ? undefined : toPredicate(choice);
    const lines = this.#entries.filter((entry) => !isMeant || (isPacket(entry) && isMeant(entry))).map(line);
    if (this.#forgotten > 0) lines.unshift(`(${this.#forgotten} earlier ones are forgotten)`);
    return lines.join('\n');
  }

  /** Forgets all packets so far. */
  clear(): void {
    this.#entries = [];
    this.#bytes = this.#forgotten = 0;
  }

  /** @internal */
  add(entry: TraceEntry): void {
    this.#entries.push(entry);
    this.#bytes += size(entry);
    while (this.#entries.length > this.#most || this.#bytes > MOST_BYTES) {
      this.#forgotten += 1;
      this.#bytes -= size(this.#entries.shift() as TraceEntry);
    }
    if (!isPacket(entry)) return;
    for (const waiting of [...this.#waiting]) if (waiting.isMeant(entry)) waiting.resolve(entry);
  }
}

function isPacket(entry: TraceEntry): entry is TracedPacket {
  return 'type' in entry;
}

function size(entry: TraceEntry): number {
  return isPacket(entry) ? entry.bytes.length : 0;
}

function line(entry: TraceEntry): string {
  const name = entry.clientId === '' ? `#${entry.connection}` : JSON.stringify(entry.clientId).slice(1, -1);
  const head = `${String(entry.at).padStart(6)} ms  ${name}`;
  if (!isPacket(entry)) return `${head} - ${entry.note}`;
  const fate = entry.fate === undefined ? '' : `  [${entry.fate}]`;
  return `${head} ${entry.direction === 'sent' ? '→' : '←'} ${entry.text}${fate}`;
}

/** As they were when this was loaded: a test may put others in their place. */
const { setTimeout: later, clearTimeout: never } = globalThis;

/** Milliseconds. */
const PATIENCE = 5_000;

/** Lines that a timeout shows. */
const LAST = 10;

/** Of all packets that are kept. */
const MOST_BYTES = 1 << 24;
