// One connection between a client and a test broker: what passes is seen, and may be hindered.

import { attempt } from '../error.js';
import type { ProtocolVersion } from '../options.js';
import { describePacket, type PacketDescription } from '../packets.js';
import { Splitter } from '../splitter.js';
import type { Timer } from '../timer.js';
import { toBytes, type Transport } from '../transport.js';
import type { TestClock } from './clock.js';
import type { Faults } from './faults.js';
import { mustBeDirection, type TracedPacket } from './filter.js';
import type { Trace } from './trace.js';

export type Direction = TracedPacket['direction'];

/** What all connections of a test broker share. */
export interface World {
  readonly clock: TestClock;
  readonly trace: Trace;
  readonly faults: Faults;
  describeReason(reason: number): string;
  /** It is over. */
  ended(connection: TestConnection): void;
}

/** A connection of a test broker, while it is open. */
export class TestConnection {
  /** From 1. */
  readonly number: number;
  readonly #client: Transport;
  readonly #world: World;
  readonly #lanes: { readonly [direction in Direction]: Lane };
  /** What the broker serves. @internal */
  readonly brokerEnd: Transport;
  #clientId = '';
  #version: ProtocolVersion = 5;
  #isOpen = true;

  /** @internal */
  constructor(number: number, client: Transport, world: World) {
    this.number = number;
    this.#client = client;
    this.#world = world;
    const broker: Transport = {
      onmessage: null,
      onclose: null,
      send: (bytes) => this.#pass('received', bytes),
      close: () => this.#lanes.received.push({ end: 'The broker has closed it.' }, 0),
    };
    this.brokerEnd = broker;
    const lane = (send: (data: unknown) => void) => {
      return new Lane(world.clock, { send, end: (note) => this.end(note) });
    };
    this.#lanes = {
      sent: lane((data) => broker.onmessage?.({ data })),
      received: lane((data) => this.#toClient(data as Uint8Array<ArrayBuffer>)),
    };
    client.onmessage = ({ data }) => this.#pass('sent', data);
    client.onclose = () => this.#lanes.sent.push({ end: 'The client has closed it.' }, 0);
  }

  /** The client's; empty until it is known. */
  get clientId(): string {
    return this.#clientId;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Cuts the connection: neither side is told why, and what is on its way is lost. */
  cut(): void {
    this.end('It was cut.');
  }

  /** Lets nothing through any more, not even the end of the connection, until `resume()`: in one direction, as the client sees it, or in both. */
  stall(direction?: Direction): void {
    for (const lane of this.#chosen(direction)) lane.stall();
  }

  /** Lets through what was held up, and what follows. */
  resume(direction?: Direction): void {
    for (const lane of this.#chosen(direction)) lane.resume();
  }

  /** @internal The connection is over at once; the trace says why. */
  end(note: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { clock, trace } = this.#world;
    clock.stir();
    trace.add({ at: clock.elapsed, clientId: this.#clientId, connection: this.number, note });
    for (const lane of Object.values(this.#lanes)) lane.end();
    this.#client.onmessage = this.#client.onclose = null;
    attempt(() => this.#client.close());
    this.#world.ended(this);
    this.brokerEnd.onclose?.();
  }

  #toClient(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#client.send(bytes);
    } catch {
      this.end('The client has closed it.');
    }
  }

  #chosen(direction: Direction | undefined): Lane[] {
    mustBeDirection(direction);
    return direction ? [this.#lanes[direction]] : [this.#lanes.sent, this.#lanes.received];
  }

  #pass(direction: Direction, data: unknown): void {
    if (!this.#isOpen) return;
    this.#world.clock.stir();
    const lane = this.#lanes[direction];
    const bytes = toBytes(data);
    if (!bytes) return lane.push({ data, size: 0 }, 0); // text, say: the broker judges it
    lane.splitter.split(bytes, (packet, length) => {
      if (!this.#isOpen) return;
      if (packet.length === length) this.#judge(lane, this.#seen(direction, packet));
      else this.end(`It was cut: a packet of ${length} bytes is more than a test broker carries.`);
    });
  }

  /** The packet as the trace has it, before its fate is known. */
  #seen(direction: Direction, bytes: Uint8Array<ArrayBuffer>): TracedPacket & { bytes: Uint8Array<ArrayBuffer> } {
    const { aliases } = this.#lanes[direction];
    const { describeReason } = this.#world;
    const described: PacketDescription = describePacket(bytes, { version: this.#version, describeReason, aliases });
    this.#version = described.version ?? this.#version;
    this.#clientId = described.clientId ?? this.#clientId;
    return {
      at: this.#world.clock.elapsed,
      clientId: this.#clientId,
      connection: this.number,
      direction,
      type: described.type,
      text: described.text,
      bytes,
      topic: described.topic,
      identifier: described.identifier,
      fate: undefined,
    };
  }

  #judge(lane: Lane, packet: TracedPacket & { bytes: Uint8Array<ArrayBuffer> }): void {
    const { trace, faults } = this.#world;
    const { copies, delay, cut, said } = faults.judge(packet);
    if (lane.isStalled) said.push('held up');
    trace.add({ ...packet, fate: said.length > 0 ? said.join(', ') : undefined });
    const { bytes } = packet;
    if (cut === 'middle') lane.push({ data: bytes.slice(0, bytes.length >> 1), size: bytes.length }, delay);
    else if (cut !== 'before') for (let copy = 0; copy < copies; copy += 1) lane.push({ data: bytes.slice(), size: bytes.length }, delay);
    if (cut) lane.push({ end: 'It was cut.' }, delay);
  }
}

interface Data {
  readonly data: unknown;
  readonly size: number;
}

/** The end of the connection, with what is noted of it. */
interface End {
  readonly end: string;
}

interface LaneHooks {
  send(data: unknown): void;
  end(note: string): void;
}

/** One direction: what goes in comes out in the same order, at once unless it is delayed or held up. */
class Lane {
  readonly splitter = new Splitter(MOST_BYTES);
  readonly aliases = new Map<number, string>();
  readonly #clock: TestClock;
  readonly #timer: Timer;
  readonly #hooks: LaneHooks;
  #queue: { item: Data | End; at: number }[] = [];
  #size = 0;
  #isStalled = false;
  #isMoving = false;

  constructor(clock: TestClock, hooks: LaneHooks) {
    this.#clock = clock;
    this.#timer = clock.timer();
    this.#hooks = hooks;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  push(item: Data | End, delay: number): void {
    this.#queue.push({ item, at: this.#clock.now + delay });
    this.#size += 'size' in item ? item.size : 0;
    if (this.#size > MOST_BYTES) return this.#hooks.end(`It was cut: more than ${MOST_BYTES} bytes were on their way.`);
    this.#move();
  }

  stall(): void {
    this.#isStalled = true;
  }

  resume(): void {
    this.#isStalled = false;
    this.#move();
  }

  end(): void {
    this.#queue = [];
    this.#timer.clear();
  }

  #move(): void {
    if (this.#isMoving) return;
    this.#isMoving = true;
    for (let next = this.#due(); next; next = this.#due()) {
      this.#queue.shift();
      this.#clock.stir();
      if ('end' in next) {
        this.#hooks.end(next.end);
      } else {
        this.#size -= next.size;
        this.#hooks.send(next.data);
      }
    }
    this.#isMoving = false;
    const [first] = this.#queue;
    if (first && !this.#isStalled) this.#timer.set(first.at, () => this.#move());
  }

  /** The first of the queue, if it may go on: no connection lets anything overtake what was sent before. */
  #due(): Data | End | undefined {
    const [first] = this.#queue;
    return first && !this.#isStalled && first.at <= this.#clock.now ? first.item : undefined;
  }
}

/** Of one packet, and of all that are on their way in one direction. */
const MOST_BYTES = 1 << 24;
