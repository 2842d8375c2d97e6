// What snippets are made of. Knows no tool.

import type { ConnectOptions } from 'mqlite/broker';
import type { Publication } from './connection.ts';
import type { Profile, ProfileSubscription } from './profile.ts';

/** What is done on the connection. */
export type Action =
  | { readonly kind: 'publish'; readonly publication: Publication }
  | { readonly kind: 'subscribe'; readonly subscription: ProfileSubscription };

/** What all of them are made of. There is no secret in it. */
export interface Source {
  /** `null`: the broker in this page. */
  readonly url: URL | null;
  readonly profile: Profile;
  readonly options: ConnectOptions;
  readonly action: Action;
}

/** The code, and what the tool cannot say. */
export interface Code {
  readonly code: string;
  readonly lacks: readonly string[];
}

/** Whether the server is shown a password. */
export function hasPassword({ password }: Profile): boolean {
  return password !== '';
}

/** The environment variable that the password is taken from. */
export const PASSWORD = 'MQTT_PASSWORD';
