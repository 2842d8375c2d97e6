// What is wrong with the settings of a room: a key that is written wrongly must not let in more than was meant. Knows no broker; limits
// and rules it looks at itself.

import { isGrants } from './access/names.js';
import type { AuthenticationSettings, JwtSettings, RoomSettings } from './settings.js';

/** What is wrong, in one sentence; `undefined` when nothing is. */
export function faultOfSettings(settings: RoomSettings): string | undefined {
  const { authentication = {} } = settings;
  const { jwt = {}, anonymousGrants = [], grants = [] } = authentication;
  return (
    faultOfKeys(settings, ROOM, '') ??
    faultOfKeys(authentication, AUTHENTICATION, 'authentication.') ??
    faultOfKeys(jwt, JWT, 'authentication.jwt.') ??
    faultOfGrants(grants, 'grants') ??
    faultOfGrants(anonymousGrants, 'anonymousGrants')
  );
}

function faultOfKeys(object: object, known: object, path: string): string | undefined {
  const key = Object.keys(object).find((key) => !Object.hasOwn(known, key));
  return key === undefined ? undefined : `There is no setting "${path}${key}": there are ${Object.keys(known).join(', ')}.`;
}

function faultOfGrants(grants: unknown, key: string): string | undefined {
  if (isGrants(grants)) return undefined;
  return `authentication.${key} is a list of objects with filter and, if need be, publish, subscribe, maximumQos and retain.`;
}

const ROOM: Record<keyof RoomSettings, true> = {
  limits: true,
  authentication: true,
  origins: true,
  rules: true,
  review: true,
  cors: true,
  forward: true,
  log: true,
  closed: true,
  moved: true,
};

const AUTHENTICATION: Record<keyof AuthenticationSettings, true> = {
  anonymous: true,
  anonymousGrants: true,
  grants: true,
  passwordIterations: true,
  failuresPerMinute: true,
  jwt: true,
};

const JWT: Record<keyof JwtSettings, true> = {
  algorithms: true,
  jwksUrl: true,
  issuer: true,
  audience: true,
  leewaySeconds: true,
};
