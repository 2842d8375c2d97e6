import type { MqttBroker } from './broker-object.js';
import type { Settings } from './settings.js';

/** What wrangler.jsonc binds, and the secrets that `wrangler secret put` adds. */
export interface Environment {
  /** One object a room, by the room's name. */
  readonly BROKER: DurableObjectNamespace<MqttBroker>;
  /** The console; without it there is none. */
  readonly ASSETS?: Fetcher;
  readonly SETTINGS?: Settings;
  /** What JWTs of HS256 are signed with, at least 32 bytes. */
  readonly JWT_SECRET?: string;
  /** What JWTs of RS256, ES256 and EdDSA are checked with: a public key as PEM (SPKI) or JWK. */
  readonly JWT_PUBLIC_KEY?: string;
  /** The bearer token that may do all over HTTP, at least 32 characters. */
  readonly ADMIN_TOKEN?: string;
}
