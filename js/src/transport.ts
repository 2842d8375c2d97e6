// What carries bytes between a client and a broker, as one interface. Knows no MQTT.

import { MqttError, report } from './error.js';
import { PortTransport } from './port.js';

/** A connection that carries bytes both ways, in order, cut anywhere. */
export interface Transport {
  /**
   * Sends these bytes, which nobody changes any more. They are a view of a buffer that may hold what goes to others, too: copy them to
   * transfer or to change it, and do not keep a few for long.
   */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the connection once everything sent before was written. `onclose` need not be called then. */
  close(): void;
  /** Set by whoever uses the transport: bytes came. Anything but bytes, such as text, ends the connection. */
  onmessage: ((event: { data: unknown }) => void) | null;
  /** Set by whoever uses the transport: the connection is gone. The other side may have said why it could not serve it. */
  onclose: ((why?: MqttError) => void) | null;
  /**
   * What a broker that was opened with `resume` remembers of this connection, at most 16,000 bytes: set before each `send`
   * that depends on it, and read when the connection is resumed. A part of a CONNECT may be in it, with its password.
   */
  state?: Uint8Array | undefined;
  /** Bytes sent and not yet written; where there is none, everything always is. */
  readonly bufferedAmount?: number;
  /** Resolves when bytes can be sent, rejects when that will never be; where there is none, they can. */
  readonly opened?: Promise<void>;
}

/** The part of a WebSocket that is needed: the platform's own has it, and so has that of the npm package `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  // Event types differ between platforms.
  onopen: any;
  onmessage: any;
  onclose: any;
  onerror: any;
}

/** The part of a MessagePort that is needed. A message of `null` stands for the end of the connection. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  close(): void;
  addEventListener?(type: 'close', listener: () => void): void;
  onmessage: any;
}

/** What a broker accepts and a client connects over. */
export type Connectable = Transport | WebSocketLike | MessagePortLike;

/**
 * The transport in, or around, what somebody brought.
 * @throws MqttError `invalid-options`.
 */
export function toTransport(connectable: Connectable): Transport {
  if (typeof connectable?.close !== 'function' || !('postMessage' in connectable || 'send' in connectable)) {
    throw new MqttError('invalid-options', 'This is no WebSocket, MessagePort or other transport.', {
      hint: 'A transport has the methods send and close, and is told onmessage and onclose.',
    });
  }
  if ('postMessage' in connectable) return new PortTransport(connectable);
  if ('binaryType' in connectable) return new WebSocketTransport(connectable);
  return connectable;
}

/** The bytes of a message, or `undefined` if it is none. */
export function toBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}

/** Two transports that are each other's end, within this program. */
export function pair(): [MemoryTransport, MemoryTransport] {
  const [one, other] = [new MemoryTransport(), new MemoryTransport()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}

/** One end of a pair. What is sent arrives soon, never during the call. */
export class MemoryTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** The other end, until either has closed. */
  peer: MemoryTransport | null = null;

  send(message: unknown): void {
    const { peer } = this;
    if (peer) soon(() => peer.peer && peer.onmessage?.({ data: message }));
  }

  close(): void {
    const { peer } = this;
    if (!peer) return;
    this.peer = null;
    soon(() => {
      if (!peer.peer) return;
      peer.peer = null;
      peer.onclose?.();
    });
  }
}

class WebSocketTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  readonly opened: Promise<void>;
  readonly #socket: WebSocketLike;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      if (socket.readyState === OPEN) resolve();
      socket.onopen = () => resolve();
      // Not every platform lets a close follow when a WebSocket does not open.
      socket.onerror = () => reject(new Error('the WebSocket did not open'));
      socket.onclose = () => {
        reject(new Error('the WebSocket did not open'));
        this.onclose?.();
      };
      if (socket.readyState > OPEN) reject(new Error('the WebSocket is closed'));
    });
    this.opened.catch(() => {}); // a broker is told by `onclose`
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (typeof data === 'string') {
        // [MQTT-6.0.0-1]
        closeAsUnsupported(socket);
      }
      this.onmessage?.({ data });
    };
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Platforms let their own WebSockets close with few codes; the ones of servers may say why. */
function closeAsUnsupported(socket: WebSocketLike): void {
  try {
    socket.close(UNSUPPORTED_DATA, 'MQTT is sent in binary messages.');
  } catch {
    socket.close();
  }
}

/** Runs `task` after the code that runs now, the tasks before it, and what awaits their doing. */
function soon(task: () => void): void {
  tasks.push(task);
  if (tasks.length === 1) schedule();
}

/** Whether something is on its way between the ends of a pair. */
export function isMoving(): boolean {
  return tasks.length > 0;
}

/** Lets the platform draw and listen when tasks have kept it from that for long. */
function schedule(): void {
  if (turnBegan === undefined) {
    turnBegan = performance.now();
    later(() => (turnBegan = undefined));
  }
  if (performance.now() - turnBegan < LONGEST_TURN) queueMicrotask(runTask);
  else later(runTask);
}

function runTask(): void {
  try {
    tasks[done]?.();
  } catch (error) {
    report(error);
  }
  done += 1;
  if (done === tasks.length || done === MOST_DONE) {
    tasks.splice(0, done);
    done = 0;
  }
  if (tasks.length > 0) schedule();
}

const tasks: (() => void)[] = [];
/** How many of the tasks are done already: to take each away by itself would move all that wait. */
let done = 0;
const MOST_DONE = 1_000;

let turnBegan: number | undefined;

/** As it was when this was loaded: a test may put another in its place, whose time stands still. */
const later = globalThis.setTimeout;

/** Milliseconds. */
const LONGEST_TURN = 8;

// Of a WebSocket: a state, and a close code.
const OPEN = 1;
const UNSUPPORTED_DATA = 1003;
