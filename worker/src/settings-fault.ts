// What is wrong with the settings: a key that is written wrongly must not let in more than was meant. Knows no broker, which looks at
// limits and rules itself, and no bindings: each forward looks at its own.

import { isAlgorithm, isJwksUrl } from './access/keys.js';
import { isFilter, isGrants } from './access/names.js';
import type { ConnectionRate } from './arrivals.js';
import { LEVELS, type LogSettings } from './log.js';
import type { ReviewSettings } from './review.js';
import { type AuthenticationSettings, type JwtSettings, ownSettings, type RoomSettings } from './settings.js';
import type { Moved } from './whereabouts.js';

/**
 * What is wrong with the variable `SETTINGS` as far as it is about this room, in one sentence that names the key; `undefined` when
 * nothing is.
 */
export function faultOfSettings(settings: unknown, room: string): string | undefined {
  if (settings === undefined) return undefined;
  if (!isObject(settings)) return 'SETTINGS must be an object of JSON, such as { "authentication": {} }.';
  const { rooms = {}, ...all } = settings;
  if (!isObject(rooms)) return 'rooms must be an object with the settings of each room by its name.';
  const own = ownSettings(rooms, room);
  return ROOM(all, '') ?? (own && ROOM(own.settings, `rooms.${own.name}`));
}

/** Looks at the value of a key; `path` is where it stands. */
type Check = (value: unknown, path: string) => string | undefined;

/** An object that has no other keys than these. */
function object<T extends object>(keys: { readonly [Key in keyof Required<T>]: Check }, needed: readonly (keyof T & string)[] = []): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path} must be an object, with ${Object.keys(keys).join(', ')}.`;
    const at = (key: string) => (path === '' ? key : `${path}.${key}`);
    for (const [key, part] of Object.entries(value)) {
      if (!Object.hasOwn(keys, key)) return `There is no setting "${at(key)}": there are ${Object.keys(keys).join(', ')}.`;
      const fault = keys[key as keyof T](part, at(key));
      if (fault !== undefined) return fault;
    }
    const missing = needed.find((key) => value[key] === undefined);
    return missing === undefined ? undefined : `${at(missing)} is missing.`;
  };
}

/** `what` says what it must be. */
function be(what: string, isGood: (value: unknown) => boolean): Check {
  return (value, path) => (isGood(value) ? undefined : `${path} must be ${what}.`);
}

function list(what: string, isGood: (value: unknown) => boolean): Check {
  return be(`a list of ${what}`, (value) => Array.isArray(value) && value.every(isGood));
}

function oneOf(names: readonly string[]): Check {
  return be(`one of ${names.join(', ')}`, (value) => names.includes(value as string));
}

function whole(least: number, most: number): Check {
  return be(`a whole number from ${least} to ${most}`, (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a browser sends as Origin, or `*`; a slash behind it is what people copy. */
function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && /^(\*|null|[a-z][a-z\d+.-]*:\/\/[^/\s?#]+\/?)$/i.test(value);
}

const truth = be('true or false', (value) => typeof value === 'boolean');

const text = be('a text that is not empty', (value) => typeof value === 'string' && value !== '');

const origins = list('origins such as "https://app.example", or "*"', isOrigin);

const grants = be('a list of objects with filter and, if need be, publish, subscribe, maximumQos and retain', isGrants);

const JWT = object<JwtSettings>({
  algorithms: be('a list of HS256, RS256, ES256 and EdDSA, of one at least', (value) => Array.isArray(value) && value.length > 0 && value.every(isAlgorithm)),
  jwksUrl: be('an address that begins with https://', isJwksUrl),
  issuer: text,
  audience: text,
  leewaySeconds: whole(0, 3_600),
});

const AUTHENTICATION = object<AuthenticationSettings>({
  anonymous: truth,
  anonymousGrants: grants,
  grants,
  passwordIterations: whole(1_000, 100_000),
  failuresPerMinute: whole(1, 1_000_000),
  jwt: JWT,
});

const ROOM = object<RoomSettings>({
  limits: be('an object of limits', isObject),
  authentication: AUTHENTICATION,
  origins,
  connectionRate: object<ConnectionRate>({
    perSecond: be('a number above 0 and up to 1,000,000', (value) => typeof value === 'number' && value > 0 && value <= 1_000_000),
    burst: whole(1, 1_000_000),
  }),
  rules: list('rules, each an object', isObject),
  review: object<ReviewSettings>({ filter: be('a Topic Filter', isFilter), service: text, timeoutMillis: whole(1, 600_000), fallback: oneOf(['accept', 'drop', 'refuse']) }, ['filter']),
  cors: origins,
  forward: list('forwards, each an object', isObject),
  log: object<LogSettings>({ level: oneOf(LEVELS) }),
  closed: truth,
  // Whether it is an address is looked at where the room goes.
  moved: object<Moved>({ room: text, permanent: truth }, ['room']),
});
