// The profiles that this browser keeps. Knows nothing of connections.

import { type ReadonlySignal, signal } from '@preact/signals';
import { newProfile, type Profile } from './profile.ts';
import { readProfile } from './share.ts';
import { keep, recall, type Store } from './store.ts';

/** The stored profiles, in the order of their making. */
export class Profiles {
  readonly #store: Store;
  readonly #all;
  readonly #isStored = signal(true);

  constructor(store: Store) {
    this.#store = store;
    const stored = recall(store, NAME);
    this.#all = signal<readonly Profile[]>(Array.isArray(stored) ? stored.map(readProfile).filter((profile) => profile !== undefined) : []);
  }

  get all(): ReadonlySignal<readonly Profile[]> {
    return this.#all;
  }

  /** Whether the browser had room for the last change. */
  get isStored(): ReadonlySignal<boolean> {
    return this.#isStored;
  }

  /** Stores a profile, in place of the one with its `id`. */
  save(profile: Profile): void {
    const isKnown = this.#all.value.some(({ id }) => id === profile.id);
    this.#change(isKnown ? this.#all.value.map((known) => (known.id === profile.id ? profile : known)) : [...this.#all.value, profile]);
  }

  remove(gone: string): void {
    this.#change(this.#all.value.filter(({ id }) => id !== gone));
  }

  /** Adds profiles from elsewhere, as new ones. */
  add(profiles: readonly Profile[]): void {
    this.#change([...this.#all.value, ...profiles.map((profile) => newProfile({ ...profile, id: crypto.randomUUID() }))]);
  }

  #change(profiles: readonly Profile[]): void {
    this.#all.value = profiles;
    const stored = profiles.map((profile) => (profile.keepsPassword ? profile : { ...profile, password: '' }));
    this.#isStored.value = keep(this.#store, NAME, stored);
  }
}

const NAME = 'profiles';
