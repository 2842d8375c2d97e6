// The profiles that this browser keeps. Knows nothing of connections.

import { newProfile, type Profile } from './profile.ts';
import { readProfile } from './share.ts';
import type { Store } from './store.ts';
import { StoredList } from './stored-list.ts';

/** The stored profiles, in the order of their making. */
export class Profiles extends StoredList<Profile> {
  constructor(store: Store) {
    super(store, 'profiles', readProfile);
  }

  /** Stores a profile, in place of the one with its `id`. */
  save(profile: Profile): void {
    const isKnown = this.all.value.some(({ id }) => id === profile.id);
    this.change(isKnown ? this.all.value.map((known) => (known.id === profile.id ? profile : known)) : [...this.all.value, profile]);
  }

  remove(gone: string): void {
    this.change(this.all.value.filter(({ id }) => id !== gone));
  }

  /** Adds profiles from elsewhere, as new ones. */
  add(profiles: readonly Profile[]): void {
    this.change([...this.all.value, ...profiles.map((profile) => newProfile({ ...profile, id: crypto.randomUUID() }))]);
  }

  protected override change(profiles: readonly Profile[]): void {
    super.change(profiles, profiles.map((profile) => (profile.keepsPassword ? profile : { ...profile, password: '' })));
  }
}
