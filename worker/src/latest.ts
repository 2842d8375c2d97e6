// The latest of each name, without keeping any of them alive. Knows not what they are.

/** A map of weak references, which grows to about twice what is alive and no further. */
export class Latest<Value extends WeakKey> {
  readonly #references = new Map<string, WeakRef<Value>>();
  #most = LEAST;

  /** How many names it has, of what is alive or not. */
  get size(): number {
    return this.#references.size;
  }

  get(name: string): Value | undefined {
    return this.#references.get(name)?.deref();
  }

  set(name: string, value: Value): void {
    this.#references.set(name, new WeakRef(value));
    if (this.#references.size > this.#most) this.#sweep();
  }

  #sweep(): void {
    for (const [name, reference] of this.#references) if (!reference.deref()) this.#references.delete(name);
    this.#most = Math.max(LEAST, 2 * this.#references.size);
  }
}

/** Names that are not worth a look. */
const LEAST = 64;
