// What a client hears of one filter: through a callback, or through `for await`.

import { report } from './error.js';
import type { Message, QoS } from './message.js';

/** What is done with a message. It is acknowledged when that is done. */
export type MessageHandler = (message: Message) => void | PromiseLike<void>;

/**
 * A subscription. Without a callback it is to be iterated, once: a message is acknowledged when the loop asks for the next.
 * Leaving the loop unsubscribes. It ends when the client's connection does.
 */
export class Subscription implements AsyncIterable<Message> {
  /** The Topic Filter. */
  readonly filter: string;
  /** The QoS that the server granted. */
  get qos(): QoS {
    return this.#qos;
  }
  /** QoS 0 messages that were dropped because more than 1,000 waited to be taken. */
  get dropped(): number {
    return this.#dropped;
  }

  readonly #handler: MessageHandler | undefined;
  readonly #leave: () => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #qos: QoS = 0;
  #dropped = 0;
  #ended = false;
  #handling = false;
  #wake: (() => void) | undefined;

  /** @internal */
  constructor(filter: string, handler: MessageHandler | undefined, leave: (subscription: Subscription) => Promise<void>) {
    this.filter = filter;
    this.#handler = handler;
    this.#leave = () => leave(this);
  }

  /**
   * Ends the subscription. Resolves when the server has answered.
   * @throws MqttError `interrupted` or `closed`.
   */
  unsubscribe(): Promise<void> {
    return this.#leave();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, void> {
    let taken: Waiting | undefined;
    try {
      for (;;) {
        taken = this.#waiting.shift();
        if (taken) {
          yield taken.message;
          taken.done();
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      taken?.done();
      if (!this.#ended) this.#leave().catch(() => {}); // the connection has ended, and the subscription with it
    }
  }

  /** @internal */
  granted(qos: QoS): void {
    this.#qos = qos;
  }

  /** Takes a message; `done` is called once it was dealt with. @internal */
  take(message: Message, done: () => void): void {
    if (message.qos === 0 && this.#waiting.length >= MOST_WAITING) {
      this.#dropped += 1;
      return done();
    }
    this.#waiting.push({ message, done });
    if (this.#handler) void this.#handle(this.#handler);
    else this.#wake?.();
  }

  /** No more messages come. @internal */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** One message after the other, in order. */
  async #handle(handler: MessageHandler): Promise<void> {
    if (this.#handling) return;
    this.#handling = true;
    await null; // the engine is still busy
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        await handler(next.message);
      } catch (error) {
        report(error);
      }
      next.done();
    }
    this.#handling = false;
  }
}

interface Waiting {
  readonly message: Message;
  readonly done: () => void;
}

/** QoS 1 and 2 messages are as many as the client's Receive Maximum, at most. */
const MOST_WAITING = 1_000;
