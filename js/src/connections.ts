// A broker's connections, by number: what goes to each and what comes from it. Knows no MQTT.

import { alone } from './alone.js';
import { attempt, report } from './error.js';
import type { BrokerEngine } from './glue/broker.js';
import type { Journal } from './journal.js';
import { letProcessEnd } from './timer.js';
import { type Connectable, toBytes, toTransport, type Transport } from './transport.js';

type Feed = (run: (engine: BrokerEngine, now: number) => void) => void;

interface Connection {
  readonly transport: Transport;
  /** What the host gave: the transport, or what it is around. */
  readonly given: Connectable;
  /** Whether an engine knows it. */
  isKnown: boolean;
  /** How many writes wait for the storage. */
  held: number;
  /** The least that was unwritten since it was last written, and how many looks ago that was. */
  least: number;
  looks: number;
}

export class Connections {
  readonly #journal: Journal;
  readonly #feed: Feed;
  readonly #connections = new Map<number, Connection>();
  /** Those that have not written everything yet. */
  readonly #writing = new Set<number>();
  /** Those for which an engine may have more, since it was told that they have not written everything, and not yet that they have. */
  readonly #awaited = new Set<number>();
  #watch: ReturnType<typeof setInterval> | undefined;
  #lookedAt = 0;
  #last = 0;
  #speaking: number | undefined;
  #gone: { number: number; given: Connectable } | undefined;

  /** `feed` gives the engine an input. */
  constructor(journal: Journal, feed: Feed) {
    this.#journal = journal;
    this.#feed = feed;
  }

  /** The connection whose bytes the engine is busy with, if it is with any. */
  get speaking(): number | undefined {
    return this.#speaking;
  }

  /** The numbers of those for which an engine may have more. */
  awaited(): number[] {
    return [...this.#awaited];
  }

  /** The numbers of those that an engine knows. */
  known(): number[] {
    return [...this.#connections].flatMap(([number, { isKnown }]) => (isKnown ? [number] : []));
  }

  /** What is remembered of each that is still there. */
  states(numbers: number[]): [number, Uint8Array][] {
    return numbers.flatMap((number) => {
      const connection = this.#connections.get(number);
      return connection ? [[number, connection.transport.state ?? new Uint8Array()]] : [];
    });
  }

  /** What a connection came over; absent once it is gone. */
  given(number: number): Connectable | undefined {
    return this.#connections.get(number)?.given;
  }

  /** The same, also of the one that went last: what there is to say of its end comes just after. */
  givenOfLate(number: number): Connectable | undefined {
    return this.given(number) ?? (this.#gone?.number === number ? this.#gone.given : undefined);
  }

  /**
   * Serves what has just opened.
   * @throws MqttError `invalid-options` for what is no transport.
   */
  open(connectable: Connectable): void {
    const number = this.add(connectable, false);
    this.#feed((engine, now) => {
      const connection = this.#connections.get(number);
      if (!connection) return;
      connection.isKnown = true;
      engine.opened(now, number);
    });
  }

  /** Numbers a transport; what comes over it goes to the engine. */
  add(given: Connectable, isKnown: boolean): number {
    const transport = toTransport(given);
    const number = (this.#last += 1);
    this.#connections.set(number, { transport, given, isKnown, held: 0, least: 0, looks: 0 });
    transport.onmessage = ({ data }) => {
      const bytes = toBytes(data);
      if (bytes) return this.#feed((engine, now) => this.#hear(engine, now, number, bytes));
      this.hangUp(number);
      this.#lost(number);
    };
    transport.onclose = () => this.#lost(number);
    return number;
  }

  /** Sends what the engine has for each connection, valid during the call alone. Returns those that have not written everything. */
  sendAll(writes: Uint32Array, bytes: Uint8Array): Uint32Array | undefined {
    const waiting: number[] = [];
    const numbers = writes.slice();
    // One copy for all: a buffer for each would take longer.
    const whole = bytes.slice();
    const { buffer } = whole;
    for (let index = 0, at = 0; index < numbers.length; index += 2) {
      const number = numbers[index] as number;
      const length = numbers[index + 1] as number;
      const part = length === whole.length ? whole : new Uint8Array(buffer, at, length);
      at += length;
      const connection = this.#connections.get(number);
      if (!connection || this.#sendDurably(number, connection, part)) {
        this.#awaited.delete(number);
      } else {
        this.#awaited.add(number);
        waiting.push(number);
      }
    }
    return waiting.length > 0 ? new Uint32Array(waiting) : undefined;
  }

  /** Sends once all is durable that was committed before. Returns whether it is written. */
  #sendDurably(number: number, connection: Connection, bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#journal.isIdle) return this.#send(number, connection, bytes);
    connection.held += 1;
    this.#journal.after(() => {
      connection.held -= 1;
      if (this.#connections.get(number) === connection && this.#send(number, connection, bytes)) this.#written(number);
    });
    return false;
  }

  /** Has the transport remember `state`, once all is durable that was committed before. */
  remember(number: number, state: Uint8Array): void {
    this.#journal.after(() => {
      const connection = this.#connections.get(number);
      try {
        if (connection) connection.transport.state = state;
      } catch (error) {
        report(error);
        this.hangUp(number);
        this.#lost(number);
      }
    });
  }

  /** Closes once all is durable that was committed before. */
  close(number: number): void {
    this.#journal.after(() => this.hangUp(number));
  }

  /** Closes at once. Nothing is remembered of it: it is not to be resumed. */
  hangUp(number: number): void {
    const transport = this.#release(number);
    if (!transport) return;
    if (transport.state) attempt(() => (transport.state = undefined));
    attempt(() => transport.close());
  }

  hangUpAll(numbers: Iterable<number> = [...this.#connections.keys()]): void {
    for (const number of numbers) this.hangUp(number);
    this.#look();
  }

  #hear(engine: BrokerEngine, now: number, number: number, bytes: Uint8Array): void {
    // Some platforms let no timer ring while messages come without a pause.
    if (this.#watch && Date.now() >= this.#lookedAt + 2 * WATCH_INTERVAL) this.#look();
    else if (this.#writing.has(number)) this.#notice(number);
    this.#speaking = number;
    engine.received(now, number, bytes);
    this.#speaking = undefined;
  }

  #send(number: number, { transport }: Connection, bytes: Uint8Array<ArrayBuffer>): boolean {
    const isWriting = this.#writing.has(number);
    try {
      // What may wait for long keeps no other bytes with it.
      transport.send(isWriting ? alone(bytes) : bytes);
      if (!transport.bufferedAmount) {
        if (isWriting) this.#writing.delete(number);
        return true;
      }
    } catch {
      this.hangUp(number);
      this.#lost(number);
      return true;
    }
    this.#beginToWatch(number);
    if (!this.#watch) {
      this.#lookedAt = Date.now();
      this.#watch = setInterval(() => this.#look(), WATCH_INTERVAL);
      letProcessEnd(this.#watch);
    }
    return false;
  }

  #beginToWatch(number: number): void {
    const connection = this.#connections.get(number);
    if (!connection || this.#writing.has(number)) return;
    this.#writing.add(number);
    connection.least = Number.POSITIVE_INFINITY;
    connection.looks = 0;
  }

  /** Which connections have written everything: transports do not say so themselves. One that has not moved for long is given up. */
  #look(): void {
    this.#lookedAt = Date.now();
    for (const number of this.#writing) {
      const connection = this.#connections.get(number);
      const amount = this.#notice(number);
      if (!connection || !amount) continue;
      if (amount < connection.least) [connection.least, connection.looks] = [amount, 0];
      else if ((connection.looks += 1) > PATIENCE / WATCH_INTERVAL) this.#giveUp(number);
    }
    if (this.#writing.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** Notices it when a connection has written everything. Returns the bytes that it has not. */
  #notice(number: number): number | undefined {
    let amount: number | undefined;
    try {
      amount = this.#connections.get(number)?.transport.bufferedAmount;
    } catch {
      this.#giveUp(number);
    }
    if (!amount && this.#writing.delete(number)) this.#written(number);
    return amount;
  }

  /** Something was written; the engine hears of it when it was the last thing. */
  #written(number: number): void {
    if (this.#isWriting(number)) return;
    this.#feed((engine, now) => {
      // It may have been given more meanwhile, then and now.
      if (this.#isWriting(number)) return;
      engine.writable(now, number);
      if (!this.#isWriting(number)) this.#awaited.delete(number);
    });
  }

  #isWriting(number: number): boolean {
    return this.#writing.has(number) || (this.#connections.get(number)?.held ?? 0) > 0;
  }

  /** It fails, or the other side reads nothing: it would cost memory, and keep the program awake, for ever. */
  #giveUp(number: number): void {
    this.#writing.delete(number);
    this.hangUp(number);
    this.#lost(number);
  }

  /** The other side, or the network, has closed it. */
  #lost(number: number): void {
    this.#release(number);
    this.#feed((engine, now) => engine.closed(now, number));
  }

  #release(number: number): Transport | undefined {
    const connection = this.#connections.get(number);
    if (!connection) return undefined;
    const { transport, given } = connection;
    this.#connections.delete(number);
    this.#awaited.delete(number);
    this.#gone = { number, given };
    transport.onmessage = null;
    transport.onclose = null;
    return transport;
  }
}

/** Milliseconds between two looks at connections that are still writing. */
const WATCH_INTERVAL = 10;

/** Milliseconds after which a connection that takes nothing of what is sent is over. */
const PATIENCE = 60_000;
