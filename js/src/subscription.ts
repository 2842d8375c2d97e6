// What a client hears of its filters: through a callback, or through `for await`.
/// <reference lib="esnext.disposable" preserve="true" />

import { MqttError } from './error.js';
import type { Message, QoS } from './message.js';

/**
 * What is done with a message. It is acknowledged when that is done, also when it failed: MQTT has no way to hand a message
 * back, and to leave it would hold back all that follow. The failure goes to the `error` event.
 */
export type MessageHandler = (message: Message) => void | PromiseLike<void>;

/**
 * A subscription to one filter or several. Without a callback it is to be iterated, once: a message is acknowledged when the
 * loop asks for the next, and QoS 1 and 2 messages that nobody takes hold back all that follow, unless a handler of the client's
 * `message` event takes them. Leaving the loop unsubscribes.
 * It outlives its connection. When the client ends, the loop takes what came before and then throws why; after `end()` it just ends.
 */
export class Subscription implements AsyncIterable<Message>, AsyncDisposable {
  /** The Topic Filters. */
  readonly filters: readonly string[];
  readonly #hooks: SubscriptionHooks;
  readonly #waiting: Waiting[] = [];
  #granted: readonly QoS[] = [];
  #dropped = 0;
  #ended = false;
  #error: MqttError | undefined;
  #isWanted = true;
  #isIterated = false;
  #isHandling = false;
  #waitingBytes = 0;
  #wake: (() => void) | undefined;

  /** @internal */
  constructor(filters: readonly string[], hooks: SubscriptionHooks) {
    this.filters = filters;
    this.#hooks = hooks;
  }

  /** The QoS that the server granted to each filter, in order. */
  get granted(): readonly QoS[] {
    return this.#granted;
  }

  /** The lowest of these. */
  get qos(): QoS {
    return Math.min(...this.#granted, 2) as QoS;
  }

  /** QoS 0 messages that were dropped because 16 MiB of messages waited to be taken. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Ends the subscription, and drops what waits to be taken. Resolves when the server has answered.
   * @throws MqttError `refused`, `interrupted` or `closed`.
   */
  unsubscribe(): Promise<void> {
    return this.#hooks.leave(this);
  }

  /** Ends the subscription; to one that has ended already it does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.unsubscribe();
  }

  /**
   * The messages, one at a time.
   * @throws MqttError `invalid-options` beside a callback, or for a second time.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, void, void> {
    if (this.#hooks.handler || this.#isIterated) {
      throw new MqttError('invalid-options', 'A subscription is taken by one callback or by one loop.', {
        hint: 'Subscribe once more.',
      });
    }
    this.#isIterated = true;
    let taken: Waiting | undefined;
    const settle = () => {
      if (taken) this.#settle(taken.done);
      taken = undefined;
    };
    const step = async (): Promise<IteratorResult<Message, void>> => {
      settle();
      for (;;) {
        taken = this.#next();
        if (taken) return { value: taken.message, done: false };
        if (this.#ended) return this.#over();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    let last: Promise<unknown> = Promise.resolve();
    return {
      next: () => {
        const result = last.then(step);
        last = result.catch(() => {});
        return result;
      },
      return: async () => {
        settle();
        // When it fails the client has ended, and the subscription with it.
        if (!this.#ended) this.#hooks.leave(this).catch(() => {});
        return { value: undefined, done: true };
      },
    };
  }

  /** @internal */
  accepted(granted: readonly QoS[]): void {
    this.#granted = granted;
  }

  /** Whether there is neither a callback nor a loop, or not yet. @internal */
  get isUnattended(): boolean {
    return !this.#hooks.handler && !this.#isIterated;
  }

  /**
   * Takes a message; `done` is called once it was dealt with. One that is not `held` is somebody else's to acknowledge, and may be
   * dropped. @internal
   */
  take(message: Message, done: () => void, isHeld: boolean): void {
    if (!this.#isWanted) return done();
    const { handler } = this.#hooks;
    if (handler && !this.#isHandling && this.#waiting.length === 0) {
      this.#run(handler, message, done);
      return this.#handle(handler);
    }
    const size = message.payload.length + OVERHEAD;
    const isDropped = !isHeld && this.#waitingBytes + size > MOST_WAITING;
    if (this.isUnattended && (isDropped || this.#waiting.length === MANY_WAITING)) this.#hooks.unattended?.();
    if (isDropped) {
      this.#dropped += 1;
      return done();
    }
    this.#waiting.push({ message, size, done });
    this.#waitingBytes += size;
    if (handler) this.#handle(handler);
    else this.#wake?.();
  }

  /**
   * No more messages come. Those that came are taken to the end, if somebody wants them; then a loop throws the error. @internal
   */
  end({ isWanted, error }: { isWanted: boolean; error?: MqttError | undefined }): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    this.#isWanted &&= isWanted;
    if (!isWanted) {
      // Each is acknowledged: one that is not would hold back all that come after it.
      for (const { done } of this.#waiting.splice(0)) done();
      this.#waitingBytes = 0;
    }
    this.#hooks.ended?.();
    this.#wake?.();
  }

  #over(): IteratorResult<Message, void> {
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    return { value: undefined, done: true };
  }

  /** One message after the other, in order. */
  #handle(handler: MessageHandler): void {
    for (let next = this.#next(); next; next = this.#next()) this.#run(handler, next.message, next.done);
  }

  #run(handler: MessageHandler, message: Message, done: () => void): void {
    this.#isHandling = true;
    const handled = this.#hooks.guard(handler, message);
    const settle = () => {
      this.#isHandling = false;
      this.#settle(done);
    };
    if (!handled) return settle();
    void handled.then(() => {
      settle();
      this.#handle(handler);
    });
  }

  #settle(done: () => void): void {
    if (!this.#hooks.manualAck) done();
  }

  /** The next message, unless the handler is busy. */
  #next(): Waiting | undefined {
    if (this.#isHandling || this.#waiting.length === 0) return undefined;
    const next = this.#waiting.shift();
    this.#waitingBytes -= next?.size ?? 0;
    return next;
  }
}

/** What a subscription needs of its client. */
export interface SubscriptionHooks {
  readonly handler?: MessageHandler | undefined;
  readonly manualAck?: boolean | undefined;
  /** Runs the handler. */
  readonly guard: (handler: MessageHandler, message: Message) => Promise<void> | undefined;
  readonly leave: (subscription: Subscription) => Promise<void>;
  /** Many messages wait, and nobody has begun to take them. */
  readonly unattended?: () => void;
  ended?: () => void;
}

interface Waiting {
  readonly message: Message;
  readonly size: number;
  readonly done: () => void;
}

/** Bytes. QoS 1 and 2 messages are as many as the client's Receive Maximum, at most. */
const MOST_WAITING = 16 << 20;

/** Messages: less than the Receive Maximum that clients have by default. */
const MANY_WAITING = 200;

/** Bytes of memory that a message takes beside its payload, about. */
const OVERHEAD = 200;
