// A WebSocket that the runtime holds, awake or asleep, as a transport. Knows no MQTT.

import type { Transport } from 'mqlite/broker';
import type { AuthenticationContext } from './access/upgrade.js';

/** All that is sent within one event leaves as one message. */
export class SocketTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** What is known of who opened it. */
  readonly context: AuthenticationContext;
  readonly #socket: WebSocket;
  readonly #closed: () => void;
  #unsent: Uint8Array<ArrayBuffer>[] = [];

  /** `closed` is called when this side closes it. */
  constructor(socket: WebSocket, context: AuthenticationContext, closed: () => void) {
    this.#socket = socket;
    this.context = context;
    this.#closed = closed;
  }

  /** What is remembered of the connection while the object sleeps. */
  get state(): Uint8Array | undefined {
    return this.#socket.deserializeAttachment() ?? undefined;
  }

  set state(state: Uint8Array | undefined) {
    this.#socket.serializeAttachment(state);
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#unsent.push(bytes) === 1) queueMicrotask(() => this.#flush());
  }

  close(): void {
    this.#flush();
    this.#socket.close();
    this.#closed();
  }

  #flush(): void {
    const parts = this.#unsent;
    if (parts.length === 0) return;
    this.#unsent = [];
    try {
      this.#socket.send(parts.length === 1 ? parts[0]! : joined(parts));
    } catch {
      // The other side has closed it meanwhile.
      this.onclose?.();
    }
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.byteLength;
  }
  return whole;
}
