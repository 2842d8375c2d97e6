// What a client hears of one filter: through a callback, or through `for await`.

import { attempt, MqttError } from './error.js';
import type { Message, QoS } from './message.js';

/** What is done with a message. It is acknowledged when that is done. */
export type MessageHandler = (message: Message) => void | PromiseLike<void>;

/**
 * A subscription. Without a callback it is to be iterated, once: a message is acknowledged when the loop asks for the next,
 * and QoS 1 and 2 messages that nobody takes hold back all that follow. Leaving the loop unsubscribes. It ends when the
 * connection does: after what came before if that was the server's or the network's doing, else at once.
 */
export class Subscription implements AsyncIterable<Message> {
  /** The Topic Filter. */
  readonly filter: string;
  /** The QoS that the server granted. */
  get qos(): QoS {
    return this.#qos;
  }
  /** QoS 0 messages that were dropped because 16 MiB of messages waited to be taken. */
  get dropped(): number {
    return this.#dropped;
  }

  readonly #handler: MessageHandler | undefined;
  readonly #leave: () => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #qos: QoS = 0;
  #dropped = 0;
  #ended = false;
  #isWanted = true;
  #isIterated = false;
  #isHandling = false;
  #waitingBytes = 0;
  #wake: (() => void) | undefined;

  /** @internal */
  constructor(filter: string, handler: MessageHandler | undefined, leave: (subscription: Subscription) => Promise<void>) {
    this.filter = filter;
    this.#handler = handler;
    this.#leave = () => leave(this);
  }

  /**
   * Ends the subscription, and drops what waits to be taken. Resolves when the server has answered.
   * @throws MqttError `refused`, `interrupted` or `closed`.
   */
  unsubscribe(): Promise<void> {
    return this.#leave();
  }

  /**
   * The messages, one at a time.
   * @throws MqttError `invalid-options` beside a callback, or for a second time.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, void, void> {
    if (this.#handler || this.#isIterated) {
      throw new MqttError('invalid-options', 'A subscription is taken by one callback or by one loop.', {
        hint: 'Subscribe once more.',
      });
    }
    this.#isIterated = true;
    let taken: Waiting | undefined;
    const settle = () => {
      taken?.done();
      taken = undefined;
    };
    const step = async (): Promise<IteratorResult<Message, void>> => {
      settle();
      for (;;) {
        taken = this.#next();
        if (taken) return { value: taken.message, done: false };
        if (this.#ended) return { value: undefined, done: true };
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    let last: Promise<unknown> = Promise.resolve();
    return {
      next: () => {
        const result = last.then(step);
        last = result;
        return result;
      },
      return: async () => {
        settle();
        // When it fails the connection has ended, and the subscription with it.
        if (!this.#ended) this.#leave().catch(() => {});
        return { value: undefined, done: true };
      },
    };
  }

  /** @internal */
  granted(qos: QoS): void {
    this.#qos = qos;
  }

  /** Takes a message; `done` is called once it was dealt with. @internal */
  take(message: Message, done: () => void): void {
    if (!this.#isWanted) return done();
    const size = message.payload.length + OVERHEAD;
    if (message.qos === 0 && this.#waitingBytes + size > MOST_WAITING) {
      this.#dropped += 1;
      return done();
    }
    this.#waiting.push({ message, size, done });
    this.#waitingBytes += size;
    if (this.#handler) this.#handle(this.#handler);
    else this.#wake?.();
  }

  /** The server sends no more messages. Those that came are taken to the end, if somebody wants them. @internal */
  end({ isWanted }: { isWanted: boolean }): void {
    this.#ended = true;
    this.#isWanted &&= isWanted;
    if (!isWanted) {
      // Each is acknowledged: one that is not would hold back all that come after it.
      for (const { done } of this.#waiting.splice(0)) done();
      this.#waitingBytes = 0;
    }
    this.#wake?.();
  }

  /** One message after the other, in order. */
  #handle(handler: MessageHandler): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const { message, done } = next;
      this.#isHandling = true;
      const handled = attempt(() => handler(message));
      if (handled) {
        void handled.then(() => {
          this.#isHandling = false;
          done();
          this.#handle(handler);
        });
        return;
      }
      this.#isHandling = false;
      done();
    }
  }

  /** The next message, unless the handler is busy. */
  #next(): Waiting | undefined {
    const next = this.#isHandling ? undefined : this.#waiting.shift();
    this.#waitingBytes -= next?.size ?? 0;
    return next;
  }
}

interface Waiting {
  readonly message: Message;
  readonly size: number;
  readonly done: () => void;
}

/** Bytes. QoS 1 and 2 messages are as many as the client's Receive Maximum, at most. */
const MOST_WAITING = 16 << 20;

/** Bytes of memory that a message takes beside its payload, about. */
const OVERHEAD = 200;
