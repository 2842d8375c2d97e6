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
    this.change((profiles) => {
      const isKnown = profiles.some(({ id }) => id === profile.id);
      return isKnown ? profiles.map((known) => (known.id === profile.id ? profile : known)) : [...profiles, profile];
    });
  }

  remove(gone: string): void {
    this.change((profiles) => profiles.filter(({ id }) => id !== gone));
  }

  /** Adds profiles from elsewhere, as new ones. */
  add(profiles: readonly Profile[]): void {
    this.change((known) => [...known, ...profiles.map((profile) => newProfile({ ...profile, id: crypto.randomUUID() }))]);
  }

  protected override change(edit: (profiles: readonly Profile[]) => readonly Profile[]): void {
    const passwords = new Map(this.all.value.map(({ id, password }) => [id, password]));
    const withPassword = (profile: Profile): Profile => (profile.keepsPassword ? profile : { ...profile, password: passwords.get(profile.id) ?? '' });
    const toStored = (profile: Profile): Profile => (profile.keepsPassword ? profile : { ...profile, password: '' });
    super.change((profiles) => edit(profiles.map(withPassword)), toStored);
  }
}
