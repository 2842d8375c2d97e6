// A WebSocket that the runtime holds, awake or asleep, as a transport. Knows no MQTT.

import type { Transport } from 'mqlite/broker';
import type { AuthenticationContext } from './access/upgrade.js';
import { type Batch, Pace } from './pace.js';

/**
 * All that is sent within one event leaves as one message. So does, where the thread has much to send, what is sent within some
 * milliseconds to one that only listens, and to whom there is much to say.
 */
export class SocketTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** What is known of who opened it. */
  readonly context: AuthenticationContext;
  /** When it was opened, if the object has not slept since. */
  openedAt = 0;
  readonly #socket: WebSocket;
  readonly #batches: Batches;
  readonly #closed: () => void;
  readonly #pace = Pace.ofPeer();
  /** Whether something came since something was sent. */
  #isAnswer = false;
  /** Whether what is unsent may wait, and since when it does. */
  #isLate = false;
  #waitsSince = 0;
  /** When it was sent something last that counts. */
  #countedAt = 0;
  #taken = 0;
  #unheard: Uint8Array[] = [];
  #isOver = false;
  #unsent: Uint8Array<ArrayBuffer>[] = [];
  #unsentBytes = 0;
  /** Of what was sent the other side has not taken more than these. */
  #untakenBytes = 0;

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
    if (this.#unsentBytes + this.#untakenBytes <= UNDER_WAY) return 0;
    this.#untakenBytes = this.#socket.bufferedAmount;
    const amount = this.#unsentBytes + this.#untakenBytes;
    return amount > UNDER_WAY ? amount : 0;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unsentBytes += bytes.byteLength;
    const { pace, soon, late } = this.#batches;
    const isJoined = this.#unsent.push(bytes) > 1;
    const now = Date.now();
    const [isOften, isMuch] = [this.#pace.isOften(now), pace.isOften(now)];
    // What leaves with other things costs little. But what would have left by itself counts: else it would seem little from then on.
    if (!isJoined || (this.#isLate && now > this.#countedAt)) {
      this.#countedAt = now;
      this.#pace.add();
      pace.add();
    }
    if (!isJoined) {
      this.#isLate = isOften && isMuch && !this.#isAnswer;
      this.#waitsSince = now;
      (this.#isLate ? late : soon).add(this.#flush);
    }
    // Where messages come without a pause no timer rings.
    if (this.#isLate && (this.#isAnswer || this.#unsentBytes > ENOUGH || now - this.#waitsSince > LONGEST_WAIT)) {
      this.#isLate = false;
      soon.add(this.#flush);
    }
  }

  /** A message came. Tells whether it is the first that waits for `hear`. */
  take(data: ArrayBuffer): boolean {
    this.#taken += 1;
    return !this.#isOver && this.#unheard.push(new Uint8Array(data)) === 1;
  }

  /** Whether more came than it takes to connect and to say what one has come for. */
  get isSettled(): boolean {
    return this.#taken > FEW;
  }

  /** Takes no more of what comes: what it has taken is heard. */
  stop(): void {
    this.#isOver = true;
  }

  /** Has the broker hear what came: as one, if that is little. */
  hear(): void {
    const parts = this.#unheard;
    this.#unheard = [];
    this.#isAnswer = true;
    const isLittle = parts.length > 1 && sizeOf(parts) <= ENOUGH;
    for (const data of isLittle ? [joined(parts)] : parts) this.onmessage?.({ data });
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
    this.#untakenBytes += this.#unsentBytes;
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

/** When what waits is sent, and how often something is. */
export interface Batches {
  readonly pace: Pace;
  readonly soon: Batch;
  readonly late: Batch;
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(sizeOf(parts));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.byteLength;
  }
  return whole;
}

function sizeOf(parts: Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.byteLength, 0);
}

/** What is sent is taken a moment later, although it be read at once: to watch for that would cost more than it is. */
const UNDER_WAY = 65_536;
/** Bytes that wait for no more. */
const ENOUGH = 16_384;
/** Milliseconds: twice as long as a timer has it wait. */
const LONGEST_WAIT = 80;
/** Messages. */
const FEW = 4;
