// What a client's engine is to know, and what it says, in the shapes of JavaScript.

import { payloadBytes } from './check.js';
import type { ConnectOptions } from './options.js';

/** `isKept`: whether the session outlives a connection although nobody said for how long. */
export function engineOptions(options: ConnectOptions, isKept: boolean): object {
  const { password, will, properties, authentication, ...said } = options;
  return {
    ...said,
    properties: {
      ...(isKept && { sessionExpiryInterval: KEPT }),
      ...properties,
      ...(authentication && { authenticationMethod: authentication.method }),
    },
    ...(password !== undefined && { password: payloadBytes(password) }),
    ...(will && { will: { ...will, payload: payloadBytes(will.payload ?? '') } }),
  };
}

/** The properties that there are. */
export function present<T extends object>(properties: T): T {
  const isThere = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => isThere(value))) as T;
}

/** Seconds that the server keeps the session of a client that comes back, unless somebody says otherwise. */
const KEPT = 120;
