// A list that this browser keeps, for all pages that are open in it. Knows nothing of what is in it.

import { type ReadonlySignal, signal } from '@preact/signals';
import { keep, recall, type Store } from './store.ts';

export class StoredList<Item> {
  readonly #store: Store;
  readonly #name: string;
  readonly #read: (value: unknown) => Item | undefined;
  readonly #all;
  readonly #isStored = signal(true);

  /** What is kept by this name, as `read` understands it; what it does not is left out. */
  constructor(store: Store, name: string, read: (value: unknown) => Item | undefined) {
    this.#store = store;
    this.#name = name;
    this.#read = read;
    this.#all = signal<readonly Item[]>(this.#stored());
  }

  get all(): ReadonlySignal<readonly Item[]> {
    return this.#all;
  }

  /** Whether the browser had room for the last change. */
  get isStored(): ReadonlySignal<boolean> {
    return this.#isStored;
  }

  /** Makes a change to what is stored by now, since another page may have changed it too; each item is stored as `toStored` has it. */
  protected change(edit: (items: readonly Item[]) => readonly Item[], toStored = (item: Item): Item => item): void {
    // What there was no room for is on this page alone.
    const items = edit(this.#isStored.value ? this.#stored() : this.#all.value);
    this.#all.value = items;
    this.#isStored.value = keep(this.#store, this.#name, items.map(toStored));
  }

  #stored(): Item[] {
    const stored = recall(this.#store, this.#name);
    return Array.isArray(stored) ? stored.map(this.#read).filter((item) => item !== undefined) : [];
  }
}
