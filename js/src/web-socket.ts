// An object with the interface of a WebSocket whose other end is a broker in this program. Knows no MQTT.

import { type MemoryTransport, toBytes } from './transport.js';

/** What a WebSocket calls back. */
type Listener<E extends Event> = ((event: E) => void) | null;

/**
 * The WebSocket interface, wired straight to a broker. It opens by itself. Blobs can be received, with a `binaryType` of
 * `blob`, but not sent.
 */
export class BrokerWebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  readonly url = 'mqlite:';
  readonly protocol = 'mqtt';
  readonly extensions = '';
  /** Always 0: what is sent is written. */
  readonly bufferedAmount = 0;
  binaryType: 'blob' | 'arraybuffer' = 'blob';
  onopen: Listener<Event> = null;
  onmessage: Listener<MessageEvent> = null;
  onclose: Listener<CloseEvent> = null;
  onerror: Listener<Event> = null;

  readonly #transport: MemoryTransport | undefined;
  #readyState: 0 | 1 | 2 | 3 = 0;

  /** Without a transport it fails. @internal */
  constructor(transport: MemoryTransport | undefined) {
    super();
    this.#transport = transport;
    for (const name of ['open', 'message', 'close', 'error'] as const) {
      this.addEventListener(name, (event) => (this[`on${name}`] as Listener<Event>)?.(event));
    }
    if (!transport) {
      queueMicrotask(() => this.#failed());
      return;
    }
    transport.onmessage = ({ data }) => this.#received(data);
    transport.onclose = () => this.#closed(NORMAL_CLOSURE, '');
    queueMicrotask(() => this.#opened());
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  /**
   * Sends one message; MQTT's are binary.
   * @throws DOMException `InvalidStateError` while it is not open yet; TypeError for a Blob.
   */
  send(data: string | ArrayBufferLike | ArrayBufferView | Blob): void {
    if (this.#readyState === this.CONNECTING) {
      throw new DOMException('The WebSocket is not open yet.', 'InvalidStateError');
    }
    if (data instanceof Blob) throw new TypeError('A Blob cannot be sent here: send its arrayBuffer() instead.');
    if (this.#readyState !== this.OPEN) return;
    this.#transport?.send(typeof data === 'string' ? data : copy(data));
  }

  /**
   * Closes the connection.
   * @throws DOMException `InvalidAccessError` for a code that is neither 1000 nor from 3000 to 4999.
   */
  close(code: number = NORMAL_CLOSURE, reason = ''): void {
    if (code !== NORMAL_CLOSURE && !(code >= 3000 && code <= 4999)) {
      throw new DOMException('The code is neither 1000 nor from 3000 to 4999.', 'InvalidAccessError');
    }
    if (this.#readyState >= this.CLOSING) return;
    this.#readyState = this.CLOSING;
    this.#transport?.close();
    queueMicrotask(() => this.#closed(code, reason));
  }

  #opened(): void {
    if (this.#readyState !== this.CONNECTING) return;
    this.#readyState = this.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  #failed(): void {
    if (this.#readyState === this.CONNECTING) this.dispatchEvent(new Event('error'));
    this.#closed(ABNORMAL_CLOSURE, '', false);
  }

  #received(data: unknown): void {
    const bytes = toBytes(data);
    if (!bytes || this.#readyState !== this.OPEN) return;
    const whole = copy(bytes);
    this.dispatchEvent(new MessageEvent('message', { data: this.binaryType === 'blob' ? new Blob([whole]) : whole.buffer }));
  }

  #closed(code: number, reason: string, wasClean = true): void {
    if (this.#readyState === this.CLOSED) return;
    this.#readyState = this.CLOSED;
    this.dispatchEvent(closeEvent({ code, reason, wasClean }));
  }
}

/** A buffer that belongs to nobody else. */
function copy(data: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(bytes);
}

/** Node has had the constructor since version 23. */
function closeEvent(details: { code: number; reason: string; wasClean: boolean }): Event {
  if (typeof CloseEvent === 'function') return new CloseEvent('close', details);
  return Object.assign(new Event('close'), details);
}

// Close codes.
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
