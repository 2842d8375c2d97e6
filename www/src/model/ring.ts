// A list that keeps the latest so many of what is put in. Knows nothing of what that is.

/** The latest items, oldest first. All that changes it is O(1). */
export class Ring<T> {
  readonly #capacity: number;
  readonly #slots: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  /** @param capacity How many items are kept, from 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** Puts an item at the end. The oldest one, if it had to make room. */
  push(item: T): T | undefined {
    const evicted = this.#length === this.#capacity ? this.shift() : undefined;
    const slot = this.#slot(this.#length);
    // As long as nothing is given up the list grows: a ring for 100,000 costs nothing while it is empty.
    if (slot === this.#slots.length) this.#slots.push(item);
    else this.#slots[slot] = item;
    this.#length += 1;
    return evicted;
  }

  /** Takes the oldest item out. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#capacity;
    this.#length -= 1;
    return item;
  }

  /** The item at this place, 0 being the oldest; from the end when it is negative. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.#length + index : index;
    return place >= 0 && place < this.#length ? this.#slots[this.#slot(place)] : undefined;
  }

  clear(): void {
    this.#slots.length = 0;
    this.#head = 0;
    this.#length = 0;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.#length; index += 1) yield this.#slots[this.#slot(index)] as T;
  }

  #slot(index: number): number {
    return (this.#head + index) % this.#capacity;
  }
}
