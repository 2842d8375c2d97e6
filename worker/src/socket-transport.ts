// A WebSocket that the runtime holds, awake or asleep, as a transport. Knows no MQTT.

import type { Transport } from 'mqlite/broker';
import type { AuthenticationContext } from './access/upgrade.js';
import { type Batch, Pace } from './pace.js';

/**
 * All that is sent within one event leaves as one message, and what is sent to one that only listens, and to whom there is much
 * to say, within a few milliseconds.
 */
export class SocketTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** What is known of who opened it. */
  readonly context: AuthenticationContext;
  readonly #socket: WebSocket;
  readonly #batches: Batches;
  readonly #closed: () => void;
  readonly #pace = new Pace();
  /** Whether something came since something was sent. */
  #isAnswer = false;
  #unsent: Uint8Array<ArrayBuffer>[] = [];
  #unsentBytes = 0;

  /** `closed` is called when this side closes it. */
  constructor(socket: WebSocket, context: AuthenticationContext, batches: Batches, closed: () => void) {
    this.#socket = socket;
    this.#batches = batches;
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

  /** Bytes that the other side has not taken, when they are more than what is always under way. */
  get bufferedAmount(): number {
    const amount = this.#unsentBytes + this.#socket.bufferedAmount;
    return amount > UNDER_WAY ? amount : 0;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unsentBytes += bytes.byteLength;
    const isBusy = this.#pace.isBusy(Date.now());
    if (this.#unsent.push(bytes) > 1) {
      if (this.#unsentBytes > ENOUGH) this.#batches.soon.add(this.#flush);
      return;
    }
    const batch = isBusy && !this.#isAnswer ? this.#batches.late : this.#batches.soon;
    batch.add(this.#flush);
  }

  /** A message came. */
  heard(data: ArrayBuffer): void {
    this.#isAnswer = true;
    this.onmessage?.({ data });
  }

  close(): void {
    this.#closed();
    // What is said last depends on what is written before it, too.
    this.#batches.soon.add(() => {
      this.#flush();
      this.#socket.close();
    });
  }

  readonly #flush = (): void => {
    const parts = this.#unsent;
    if (parts.length === 0) return;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#isAnswer = false;
    try {
      this.#socket.send(parts.length === 1 ? parts[0]! : joined(parts));
    } catch {
      // The other side has closed it meanwhile.
      this.onclose?.();
    }
  };
}

/** When what waits is sent. */
export interface Batches {
  readonly soon: Batch;
  readonly late: Batch;
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

/** What is sent is taken a moment later, although it be read at once: to watch for that would cost more than it is. */
const UNDER_WAY = 65_536;
/** Bytes that wait for no more. */
const ENOUGH = 16_384;
