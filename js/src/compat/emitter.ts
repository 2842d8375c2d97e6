// Who listens to a client, in the manner of Node's EventEmitter.

/** A function that hears of an event. */
type Listener = (...values: any[]) => void;

interface Entry {
  readonly listener: Listener;
  readonly isOnce: boolean;
}

/** Listeners by the name of the event; `E` says what each event brings. Other names are allowed too, as in Node. */
export class Emitter<E extends { [name in keyof E]: Listener }> {
  readonly #entries = new Map<PropertyKey, readonly Entry[]>();
  #maximum = 10;

  on<N extends keyof E>(event: N, listener: E[N]): this {
    return this.#add(event, { listener, isOnce: false }, 'last');
  }

  addListener<N extends keyof E>(event: N, listener: E[N]): this {
    return this.on(event, listener);
  }

  once<N extends keyof E>(event: N, listener: E[N]): this {
    return this.#add(event, { listener, isOnce: true }, 'last');
  }

  prependListener<N extends keyof E>(event: N, listener: E[N]): this {
    return this.#add(event, { listener, isOnce: false }, 'first');
  }

  prependOnceListener<N extends keyof E>(event: N, listener: E[N]): this {
    return this.#add(event, { listener, isOnce: true }, 'first');
  }

  /** Takes away the listener that was added last, if it was added several times. */
  off<N extends keyof E>(event: N, listener: E[N]): this {
    const entries = this.#of(event);
    const index = entries.findLastIndex((entry) => entry.listener === listener);
    if (index >= 0) this.#entries.set(event, entries.toSpliced(index, 1));
    return this;
  }

  removeListener<N extends keyof E>(event: N, listener: E[N]): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: keyof E): this {
    if (event === undefined) this.#entries.clear();
    else this.#entries.delete(event);
    return this;
  }

  /**
   * Calls the listeners in their order. Whether there were any.
   * @throws what a listener throws; the error of an `error` event that nobody listens to.
   */
  emit<N extends keyof E>(event: N, ...values: Parameters<E[N]>): boolean {
    const entries = this.#of(event);
    if (entries.length === 0 && event === 'error') throw values[0];
    for (const entry of entries) {
      if (entry.isOnce) this.#entries.set(event, this.#of(event).filter((other) => other !== entry));
      entry.listener.apply(this, values);
    }
    return entries.length > 0;
  }

  listeners<N extends keyof E>(event: N): E[N][] {
    return this.#of(event).map(({ listener }) => listener as E[N]);
  }

  /** The same as `listeners`: nothing is wrapped. */
  rawListeners<N extends keyof E>(event: N): E[N][] {
    return this.listeners(event);
  }

  listenerCount<N extends keyof E>(event: N, listener?: E[N]): number {
    return this.#of(event).filter((entry) => listener === undefined || entry.listener === listener).length;
  }

  eventNames(): (keyof E)[] {
    return [...this.#entries].filter(([, entries]) => entries.length > 0).map(([event]) => event as keyof E);
  }

  /** Kept for those who ask for it; there is no warning beyond. */
  setMaxListeners(maximum: number): this {
    this.#maximum = maximum;
    return this;
  }

  getMaxListeners(): number {
    return this.#maximum;
  }

  /** Somebody is about to listen. Throws if nobody could ever be told. */
  protected expect(_event: PropertyKey): void {}

  #of(event: PropertyKey): readonly Entry[] {
    return this.#entries.get(event) ?? [];
  }

  #add(event: PropertyKey, entry: Entry, where: 'first' | 'last'): this {
    if (typeof entry.listener !== 'function') throw new TypeError('The listener must be a function.');
    this.expect(event);
    const entries = this.#of(event);
    this.#entries.set(event, where === 'first' ? [entry, ...entries] : [...entries, entry]);
    return this;
  }
}

/** Runs a function of the application's: what it throws is thrown where nobody catches it, as if nobody had called it. */
export function unguarded(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
