// A list that this browser keeps. Knows nothing of what is in it.

import { type ReadonlySignal, signal } from '@preact/signals';
import { keep, recall, type Store } from './store.ts';

export class StoredList<Item> {
  readonly #store: Store;
  readonly #name: string;
  readonly #all;
  readonly #isStored = signal(true);

  /** What is kept by this name, as `read` understands it; what it does not is left out. */
  constructor(store: Store, name: string, read: (value: unknown) => Item | undefined) {
    this.#store = store;
    this.#name = name;
    const stored = recall(store, name);
    this.#all = signal<readonly Item[]>(Array.isArray(stored) ? stored.map(read).filter((item) => item !== undefined) : []);
  }

  get all(): ReadonlySignal<readonly Item[]> {
    return this.#all;
  }

  /** Whether the browser had room for the last change. */
  get isStored(): ReadonlySignal<boolean> {
    return this.#isStored;
  }

  /** Has these items from now on, and keeps them as `stored`. */
  protected change(items: readonly Item[], stored: readonly Item[] = items): void {
    this.#all.value = items;
    this.#isStored.value = keep(this.#store, this.#name, stored);
  }
}
