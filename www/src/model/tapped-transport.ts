// A WebSocket whose packets are logged and may be hindered, as a transport for `connect`. Knows what is to go wrong from its faults.

import type { Transport, WebSocketLike } from 'mqlite/broker';
import type { Faults } from './faults.ts';
import { packetName, type WireVersion } from './packet-names.ts';
import { type Piece, PacketSplitter } from './packet-splitter.ts';
import { aliasedTopic, assignedClientId, connectClientId, connectVersion } from './packet-summary.ts';
import type { Direction, Fate, Participant, WireLog, WireNote } from './wire-log.ts';

/** What a tap reports to, and whom it obeys. */
export interface TapTarget {
  readonly log: WireLog;
  readonly party: Participant;
  readonly faults: Faults;
}

/** The WebSocket, tapped. */
export function tapped(socket: WebSocketLike, target: TapTarget): Transport {
  return new TappedTransport(socket, target);
}

class TappedTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  readonly opened: Promise<void>;
  readonly #socket: WebSocketLike;
  readonly #target: TapTarget;
  readonly #lanes: { readonly [direction in Direction]: Lane };
  #version: WireVersion = 5;
  #isOver = false;
  #wasOpen = false;

  constructor(socket: WebSocketLike, target: TapTarget) {
    this.#socket = socket;
    this.#target = target;
    socket.binaryType = 'arraybuffer';
    this.#lanes = {
      sent: new Lane((bytes) => this.#toServer(bytes)),
      received: new Lane((data) => this.onmessage?.({ data })),
    };
    this.opened = new Promise((resolve, reject) => {
      const open = (): void => {
        this.#opened();
        resolve();
      };
      if (socket.readyState === OPEN) open();
      socket.onopen = open;
      socket.onerror = () => reject(new Error('the WebSocket did not open'));
      socket.onclose = () => {
        reject(new Error('the WebSocket did not open'));
        this.#lanes.received.push({ end: () => this.#end('closedByServer') }, 0);
      };
      if (socket.readyState > OPEN) reject(new Error('the WebSocket is closed'));
    });
    this.opened.catch(() => {}); // whoever connects hears of it
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (data instanceof ArrayBuffer) return this.#pass('received', new Uint8Array(data));
      this.#note('text');
      this.#lanes.received.push({ data, size: 0 }, 0); // the client judges it
    };
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount + this.#lanes.sent.size;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#pass('sent', bytes);
  }

  close(): void {
    this.#lanes.sent.push({ end: () => this.#end('closedByClient') }, 0);
  }

  /** Ends the connection at once; the client learns no more than that it is gone. What is on its way is lost. */
  cut(): void {
    this.#end('cut');
  }

  #opened(): void {
    this.#wasOpen = true;
    this.#target.party.attempt.value += 1;
    this.#target.faults.attach(this);
    this.#note('opened');
  }

  #end(how: 'closedByClient' | 'closedByServer' | 'cut'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#target.faults.detach(this);
    for (const lane of Object.values(this.#lanes)) lane.end();
    if (this.#wasOpen) this.#note(how);
    else if (how === 'closedByServer') this.#note('failed');
    this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    if (how !== 'closedByServer') this.#socket.close();
    if (how !== 'closedByClient') this.onclose?.();
  }

  #toServer(data: unknown): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(data as Uint8Array<ArrayBuffer>);
  }

  #pass(direction: Direction, chunk: Uint8Array): void {
    const { faults } = this.#target;
    const lane = this.#lanes[direction];
    if (this.#isOver || lane.isCut) return;
    const delay = faults.delay(direction);
    let isAsItCame = !lane.splitter.isWithin;
    const goesOn: Uint8Array[] = [];
    lane.splitter.split(chunk, (piece) => {
      if (this.#isOver || lane.isCut) return;
      const copies = this.#judge(direction, piece, delay, () => {
        lane.isCut = true;
        for (const bytes of goesOn.splice(0)) lane.push(dataOf(bytes), 0);
        lane.push({ end: () => this.#end('cut') }, 0);
      });
      if (copies !== 1) isAsItCame = false;
      for (let copy = 0; copy < copies; copy += 1) goesOn.push(piece.bytes);
    });
    if (this.#isOver) return;
    if (isAsItCame && !lane.splitter.isWithin) return lane.push(dataOf(chunk), delay);
    for (const bytes of goesOn) lane.push(dataOf(bytes), delay);
  }

  /** Logs what passes. How often it goes on. */
  #judge(direction: Direction, piece: Piece, delay: number, cut: () => void): number {
    if (piece.kind === 'part') return 1;
    if (piece.kind === 'garbage') {
      const lane = this.#lanes[direction];
      if (!lane.saidGarbage) this.#note('garbage');
      lane.saidGarbage = true;
      return 1;
    }
    if (piece.kind === 'long') {
      this.#log(direction, piece.bytes, piece.length, delay > 0 ? { kind: 'delayed', delay } : undefined);
      return 0;
    }
    const { bytes } = piece;
    const { copies, isCut } = this.#target.faults.judge({ direction, name: packetName(bytes[0]!) });
    const kind = isCut ? 'cut' : copies === 0 ? 'dropped' : copies === 2 ? 'duplicated' : delay > 0 ? 'delayed' : undefined;
    this.#log(direction, bytes, bytes.length, kind && { kind, delay });
    if (isCut) cut();
    return copies;
  }

  #log(direction: Direction, bytes: Uint8Array, length: number, fate: Fate | undefined): void {
    const { log, party } = this.#target;
    const name = packetName(bytes[0]!);
    if (name === 'CONNECT' && direction === 'sent') {
      this.#version = connectVersion(bytes) ?? this.#version;
      party.clientId.value = connectClientId(bytes) || party.clientId.value;
    } else if (name === 'CONNACK' && this.#version === 5) {
      party.clientId.value = assignedClientId(bytes) ?? party.clientId.value;
    }
    const version = this.#version;
    const topic = name === 'PUBLISH' && version === 5 ? aliasedTopic(bytes, this.#lanes[direction].aliases) : undefined;
    // What is sent belongs to the socket from now on, and what is received to the client.
    log.push({ kind: 'packet', time: now(), party, direction, version, bytes: bytes.slice(0, MOST_KEPT), length, fate, topic });
  }

  #note(kind: WireNote['kind']): void {
    const { log, party } = this.#target;
    log.push({ kind, time: now(), party });
  }
}

interface Data {
  readonly data: unknown;
  readonly size: number;
}

interface End {
  readonly end: () => void;
}

/** One direction: what goes in comes out in the same order, at once or after its delay. */
class Lane {
  readonly splitter = new PacketSplitter(MOST_HELD, MOST_KEPT);
  readonly aliases = new Map<number, string>();
  saidGarbage = false;
  /** Whether it is cut behind what waits: nothing more goes in. */
  isCut = false;
  /** Bytes that wait. */
  size = 0;
  readonly #send: (data: unknown) => void;
  #queue: { item: Data | End; due: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isMoving = false;

  constructor(send: (data: unknown) => void) {
    this.#send = send;
  }

  push(item: Data | End, delay: number): void {
    this.#queue.push({ item, due: delay > 0 ? performance.now() + delay : 0 });
    if ('size' in item) this.size += item.size;
    this.#move();
  }

  end(): void {
    this.#queue = [];
    this.size = 0;
    clearTimeout(this.#timer);
  }

  #move(): void {
    if (this.#isMoving) return;
    this.#isMoving = true;
    while (this.#queue.length > 0 && this.#queue[0]!.due <= performance.now()) {
      const { item } = this.#queue.shift()!;
      if ('end' in item) item.end();
      else {
        this.size -= item.size;
        this.#send(item.data);
      }
    }
    this.#isMoving = false;
    clearTimeout(this.#timer);
    const [next] = this.#queue;
    // Timers may be a little early.
    if (next) this.#timer = setTimeout(() => this.#move(), Math.max(1, next.due - performance.now()));
  }
}

function dataOf(bytes: Uint8Array): Data {
  return { data: bytes, size: bytes.length };
}

/** With fractions, so that what passes within a millisecond stays in order. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Of a packet that is held until it is whole: a longer one that comes in pieces goes on in pieces, whatever is to go wrong. */
const MOST_HELD = 1 << 20;

/** Of a packet that is logged. */
const MOST_KEPT = 1 << 16;

/** Of a WebSocket. */
const OPEN = 1;
