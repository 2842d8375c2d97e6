// A WebSocket that the runtime holds, awake or asleep, as a transport. Knows no MQTT.

import type { Transport } from 'mqlite/broker';
import type { AuthenticationContext } from './access/upgrade.js';
import { type Batch, FROM_ANOTHER, Pace } from './pace.js';

/**
 * All that is sent within one event leaves as one message. Who only listens, and hears much of many, is not ready for more until some
 * milliseconds after each, where the thread has much to send: the broker gathers what comes meanwhile.
 */
export class SocketTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  /** What is known of who opened it. */
  readonly context: AuthenticationContext;
  /** When it was opened, if the object has not slept since. */
  openedAt = 0;
  readonly #socket: WebSocket;
  readonly #shared: Shared;
  readonly #closed: () => void;
  readonly #pace = Pace.ofPeer();
  /** Stands for who speaks; and who was heard last when it was sent something. */
  readonly #voice = {};
  #heardFrom: object | undefined;
  /** Whether something came since something was sent. */
  #isAnswer = false;
  /** Until when it is sent no more, and until when it counts as one that only listens. */
  #restsUntil = 0;
  #listensUntil = 0;
  /** Bytes that make a rest worth it: half of what would have come without it. */
  #worth = 0;
  /** Until when it does not rest, since it is for what it hears that somebody waits; and for how many milliseconds that was. */
  #freeUntil = 0;
  #free = 0;
  #taken = 0;
  #unheard: Uint8Array[] = [];
  #isOver = false;
  #unsent: Uint8Array<ArrayBuffer>[] | undefined;
  #unsentBytes = 0;
  /** Of what was sent the other side has not taken more than these. */
  #untakenBytes = 0;

  /** `closed` is called when this side closes it. */
  constructor(socket: WebSocket, context: AuthenticationContext, shared: Shared, closed: () => void) {
    this.#socket = socket;
    this.#shared = shared;
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

  /** Bytes that the other side has not taken, when they are more than what is always under way. While it rests there is at least one. */
  get bufferedAmount(): number {
    const least = this.#shared.soon.now < this.#restsUntil ? 1 : 0;
    if (this.#unsentBytes + this.#untakenBytes <= UNDER_WAY) return least;
    this.#untakenBytes = this.#socket.bufferedAmount;
    const amount = this.#unsentBytes + this.#untakenBytes;
    return amount > UNDER_WAY ? amount : least;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unsentBytes += bytes.byteLength;
    const { pace, soon, speaker } = this.#shared;
    const { now } = soon;
    // In a rest the broker gives it what is much alone, and would drop what comes beyond its bounds.
    const isMuchAtATime = now < this.#restsUntil || this.#unsentBytes >= ENOUGH;
    if (this.#restsUntil > 0 && !isMuchAtATime) this.#judgeRest(now, bytes.byteLength);
    this.#restsUntil = 0;
    this.#pace.add(0, bytes.byteLength);
    if (this.#unsent) return void this.#unsent.push(bytes);
    this.#unsent = [bytes];
    soon.add(this.#flush);
    const isOften = this.#pace.isOften(now);
    const isMuch = pace.isOften(now);
    this.#pace.add(speaker === this.#heardFrom ? 1 : FROM_ANOTHER);
    pace.add();
    this.#heardFrom = speaker;
    if (isOften && isMuch && now >= Math.max(this.#listensUntil, this.#freeUntil)) {
      this.#listensUntil = now + LISTENS;
      this.#worth = (this.#pace.rate * REST) / 2;
    }
    if (now < this.#listensUntil && !this.#isAnswer && !isMuchAtATime) this.#restsUntil = now + REST;
  }

  /** Where a rest kept away what would have come, somebody waits for the other side to hear: then there is none for ever longer times. */
  #judgeRest(now: number, bytes: number): void {
    if (bytes >= this.#worth && now <= this.#restsUntil + AT_ONCE) {
      this.#free = 0;
      return;
    }
    this.#free = Math.min(Math.max(2 * this.#free, REST), LISTENS);
    this.#freeUntil = now + this.#free;
    this.#listensUntil = 0;
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
    this.#restsUntil = 0;
    this.#shared.speaker = this.#voice;
    const isLittle = parts.length > 1 && sizeOf(parts) <= ENOUGH;
    for (const data of isLittle ? [joined(parts)] : parts) this.onmessage?.({ data });
  }

  close(): void {
    this.#closed();
    // What is said last depends on what is written before it, too.
    this.#shared.soon.add(() => {
      this.#flush();
      this.#socket.close();
    });
  }

  readonly #flush = (): void => {
    const parts = this.#unsent;
    if (!parts) return;
    this.#unsent = undefined;
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

/** What the transports of a room share: when what waits is sent, how often something is, and who was heard last. */
export interface Shared {
  readonly soon: Batch;
  readonly pace: Pace;
  speaker?: object;
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
/** Bytes: less is heard as one, and may be sent after a rest. */
const ENOUGH = 16_384;
/** Milliseconds: to send costs more than what is sent. */
const REST = 40;
/** Milliseconds within which what came in a rest is sent after it. */
const AT_ONCE = 40;
/** Milliseconds, after which it is looked at anew how often it is sent something. */
const LISTENS = 5_000;
/** Messages. */
const FEW = 4;
