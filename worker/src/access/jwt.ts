// JSON Web Tokens (RFC 7519): who signed one, and what it says of a client. The library checks signatures and times.

import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock, Grant } from 'mqlite/broker';
import type { JwtSettings } from '../settings.js';
import { type Algorithm, isAlgorithm, Keys, type KeyBindings } from './keys.js';
import { isClientIds, isGrants, isUserName } from './names.js';
import { type Scope, scopesOf } from './scopes.js';

/** What a token says that is good for this room, now. */
export interface TokenClaims {
  readonly userName: string;
  /** Milliseconds since 1970: `exp`, and the leeway. */
  readonly expiresAt: number;
  readonly grants?: readonly Grant[];
  readonly clientIds?: readonly string[];
  readonly scopes?: readonly Scope[];
}

/**
 * What is wrong with a token: nobody knows who signed it; it is genuine but expired, or for another audience; or for other rooms;
 * or the keys cannot be had now.
 */
export type TokenFault = 'forged' | 'unfit' | 'elsewhere' | 'unavailable';

/** Checks the tokens that are brought for one room. */
export class Tokens {
  readonly #settings: JwtSettings;
  readonly #keys: Keys;
  readonly #room: string;
  readonly #clock: Clock;

  /** Without `settings` no token is good, whatever is bound. */
  constructor(settings: JwtSettings | undefined, bindings: KeyBindings, room: string, clock: Clock) {
    this.#settings = settings ?? {};
    this.#keys = new Keys(settings, settings ? bindings : {});
    this.#room = room;
    this.#clock = clock;
  }

  /** Whether any token could be good. */
  get isUsed(): boolean {
    return this.#keys.areAny;
  }

  async verify(token: string): Promise<TokenClaims | TokenFault> {
    const algorithm = token.length <= MAXIMUM_TOKEN ? algorithmOf(token) : undefined;
    if (!algorithm || !(this.#settings.algorithms ?? [algorithm]).includes(algorithm)) return 'forged';
    let fault: TokenFault = 'forged';
    for (const key of await this.#keys.for(algorithm)) {
      try {
        const { payload } = await jwtVerify(token, key, this.#demands(algorithm));
        return this.#read(payload);
      } catch (error) {
        const found = faultOf(error);
        if (found !== 'forged') fault = found;
      }
    }
    return fault;
  }

  #demands(algorithm: Algorithm) {
    const { issuer, audience, leewaySeconds = LEEWAY_SECONDS } = this.#settings;
    return {
      algorithms: [algorithm],
      currentDate: new Date(this.#clock()),
      clockTolerance: leewaySeconds,
      requiredClaims: ['exp', 'sub'],
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
  }

  #read({ sub, exp, room = 'default', grants, clientIds, scope }: JWTPayload): TokenClaims | TokenFault {
    if (!isUserName(sub) || exp === undefined || exp > LAST_SECOND) return 'unfit';
    if (grants !== undefined && !isGrants(grants)) return 'unfit';
    if (clientIds !== undefined && !isClientIds(clientIds)) return 'unfit';
    if (scope !== undefined && typeof scope !== 'string') return 'unfit';
    const rooms: unknown[] = Array.isArray(room) ? room : [room];
    if (!rooms.includes('*') && !rooms.includes(this.#room)) return 'elsewhere';
    // RFC 7519 allows fractions of a second.
    const expiresAt = Math.floor((exp + (this.#settings.leewaySeconds ?? LEEWAY_SECONDS)) * 1000);
    return {
      userName: sub,
      expiresAt,
      ...(grants && { grants }),
      ...(clientIds && { clientIds }),
      ...(scope !== undefined && { scopes: scopesOf(scope) }),
    };
  }
}

/** Whether a password is meant to be a token: three parts, of which the first is an object of JSON. */
export function isToken(text: string): boolean {
  return /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(text);
}

/** `undefined` for what is no token, or asks for more than its signature to be understood. */
function algorithmOf(token: string): Algorithm | undefined {
  try {
    const { alg, crit } = decodeProtectedHeader(token);
    return crit === undefined && isAlgorithm(alg) && isToken(token) ? alg : undefined;
  } catch {
    return undefined;
  }
}

/** The library looks at claims only once the signature is good. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTInvalid) {
    return 'unfit';
  }
  const isOfKeys = error instanceof errors.JWKSInvalid || (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC');
  return isOfKeys || error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) ? 'unavailable' : 'forged';
}

/** Characters. */
const MAXIMUM_TOKEN = 8_192;

/** Seconds that two clocks may differ. */
const LEEWAY_SECONDS = 5;

/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;
