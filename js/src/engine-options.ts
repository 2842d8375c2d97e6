// What a client's engine is to know, and what it says, in the shapes of JavaScript.

import { payloadBytes } from './check.js';
import type { ConnectOptions } from './options.js';

/** `expiry`: the Session Expiry Interval, if there is one. */
export function engineOptions(options: ConnectOptions, expiry: number | undefined): object {
  const { password, will, properties, authentication, outbox: { storage: _, ...outbox } = {}, ...said } = options;
  return {
    ...said,
    outbox,
    properties: {
      ...properties,
      ...(expiry !== undefined && { sessionExpiryInterval: expiry }),
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
