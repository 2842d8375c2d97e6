// What an operator sets for all rooms, and for some of them differently. Knows no MQTT; each part is explained where it is used.

import type { BrokerLimits, Grant, PublishRule } from 'mqlite/broker';
import type { ConnectionRate } from './arrivals.js';
import type { Forward } from './forward/settings.js';
import type { LogSettings } from './log.js';
import type { ReviewSettings } from './review.js';
import type { Moved } from './whereabouts.js';

/** The variable `SETTINGS` of wrangler.jsonc. A native server's file has the same keys. */
export interface Settings extends RoomSettings {
  /** What is different in a room, by its name or by the beginning of its name and `*`. The most exact name counts. */
  readonly rooms?: { readonly [room: string]: RoomSettings };
}

/** What can be set for each room. */
export interface RoomSettings {
  /** Limits of the broker; those left out have the package's defaults. */
  readonly limits?: BrokerLimits;
  /** Who is let in. Default: nobody. */
  readonly authentication?: AuthenticationSettings;
  /**
   * The Origins whose pages may open a WebSocket; `*` is all. Default: the origin of the Worker itself. Clients that are no
   * browsers send none, and are not asked.
   */
  readonly origins?: readonly string[];
  /** How fast connections are opened from one address; more wait up to 10 s for their turn. */
  readonly connectionRate?: ConnectionRate;
  /** What is done with what clients publish, by its topic; the first rule that matches counts. Default: all is published. */
  readonly rules?: readonly PublishRule[];
  /** Who decides about messages before they are published; the rules come first. Default: nobody. */
  readonly review?: ReviewSettings;
  /** The Origins whose pages may use the HTTP API; `*` is all. Default: none but those of the Worker itself. */
  readonly cors?: readonly string[];
  /** What goes to Queues, other Workers and web servers besides. */
  readonly forward?: readonly Forward[];
  readonly log?: LogSettings;
  /**
   * Whether there is no such room for anybody: it is not woken by who asks for it. With `closed` for all rooms, and `"closed": false`
   * for those that there are, strangers cannot have others made. Default false.
   */
  readonly closed?: boolean;
  /** Where the room has gone, if it has. Default: it is here. */
  readonly moved?: Moved;
}

/** Who is let in, and with which rights. */
export interface AuthenticationSettings {
  /** Whether clients that bring no credentials are let in. Default false. */
  readonly anonymous?: boolean;
  /** Their rights. Default everything but `$SYS`. */
  readonly anonymousGrants?: readonly Grant[];
  /** The rights of users and of tokens that bring none of their own. Default everything but `$SYS`. */
  readonly grants?: readonly Grant[];
  /** Rounds of PBKDF2 for new passwords. Default, and on Cloudflare the most, 100,000. */
  readonly passwordIterations?: number;
  /** Attempts that may fail, for each user name and each peer address; then each is refused for a while. Default 10. */
  readonly failuresPerMinute?: number;
  /** With this, `{}` at least, JSON Web Tokens let in who brings them. Their keys are secrets, or at `jwksUrl`. */
  readonly jwt?: JwtSettings;
}

/** Which tokens are good. */
export interface JwtSettings {
  /** Default all that there is a key for. */
  readonly algorithms?: readonly ('HS256' | 'RS256' | 'ES256' | 'EdDSA')[];
  /** Where the public keys are, as a JWKS; it is asked again every 10 minutes, or for a key that it did not have. */
  readonly jwksUrl?: string;
  /** What `iss` must be. Default anything. */
  readonly issuer?: string;
  /** What `aud` must be, or have in its list. Default anything. */
  readonly audience?: string;
  /** Seconds that the clock of who signs may differ. Default 5. */
  readonly leewaySeconds?: number;
}

/** What holds for a room: each key that its own settings have replaces that of all rooms; limits are replaced one by one. */
export function settingsOf(settings: Settings | undefined, room: string): RoomSettings {
  const { rooms, ...all } = settings ?? {};
  const own = ownSettings(rooms ?? {}, room)?.settings;
  return { ...all, ...own, limits: { ...all.limits, ...own?.limits } };
}

/** What of the setting `rooms` is about this room, and under which name: its own, else the longest beginning of it. */
export function ownSettings<T>(rooms: { readonly [room: string]: T }, room: string): { readonly name: string; readonly settings: T } | undefined {
  const isBeginning = (name: string) => name.endsWith('*') && room.startsWith(name.slice(0, -1));
  const [name] = Object.keys(rooms)
    .filter((name) => name === room || isBeginning(name))
    .sort((one, other) => Number(other === room) - Number(one === room) || other.length - one.length);
  return name === undefined ? undefined : { name, settings: rooms[name] as T };
}
