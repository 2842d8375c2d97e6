// The keys that tokens are checked with. Which key is asked follows from the algorithm: a public key never is a secret.

import { createRemoteJWKSet, customFetch, importJWK, importSPKI, type JWTVerifyGetKey } from 'jose';
import type { JwtSettings } from '../settings.js';
import { complain } from './complain.js';

/** How tokens may be signed. */
export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** The secrets that hold keys. */
export interface KeyBindings {
  readonly JWT_SECRET?: string;
  readonly JWT_PUBLIC_KEY?: string;
}

type Key = CryptoKey | JWTVerifyGetKey;

export function isAlgorithm(name: unknown): name is Algorithm {
  return name === 'HS256' || name === 'RS256' || name === 'ES256' || name === 'EdDSA';
}

/** All keys of one room. */
export class Keys {
  readonly #secret: string | undefined;
  readonly #publicKey: string | undefined;
  readonly #jwks: JWTVerifyGetKey | undefined;

  constructor(settings: JwtSettings | undefined, { JWT_SECRET, JWT_PUBLIC_KEY }: KeyBindings) {
    const isLong = JWT_SECRET !== undefined && new TextEncoder().encode(JWT_SECRET).byteLength >= LEAST_SECRET_BYTES;
    if (JWT_SECRET !== undefined && !isLong) complain(`JWT_SECRET counts for nothing: it must have ${LEAST_SECRET_BYTES} bytes at least.`);
    this.#secret = isLong ? JWT_SECRET : undefined;
    this.#publicKey = JWT_PUBLIC_KEY;
    this.#jwks = settings?.jwksUrl === undefined ? undefined : jwksAt(settings.jwksUrl);
  }

  get areAny(): boolean {
    return (this.#secret ?? this.#publicKey ?? this.#jwks) !== undefined;
  }

  /** The keys that may have signed with this algorithm. */
  async for(algorithm: Algorithm): Promise<Key[]> {
    if (algorithm === 'HS256') return this.#secret === undefined ? [] : [await secretKey(this.#secret)];
    const publicKey = this.#publicKey === undefined ? undefined : await publicKeyFor(this.#publicKey, algorithm);
    return [...(publicKey ? [publicKey] : []), ...(this.#jwks ? [this.#jwks] : [])];
  }
}

function secretKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** `undefined` for a key of another kind than the algorithm's. */
async function publicKeyFor(text: string, algorithm: Algorithm): Promise<CryptoKey | undefined> {
  try {
    const key = text.trimStart().startsWith('{') ? await importJWK(JSON.parse(text), algorithm) : await importSPKI(text, algorithm);
    return 'type' in key && key.type === 'public' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The key sets that were asked for, by their addresses: all rooms of an isolate share them. */
const keySets = new Map<string, JWTVerifyGetKey | undefined>();

function jwksAt(address: string): JWTVerifyGetKey | undefined {
  if (!keySets.has(address)) keySets.set(address, openJwks(address));
  return keySets.get(address);
}

/** Whether keys may be asked for there: over HTTPS, or on this machine. */
export function isJwksUrl(address: unknown): address is string {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
  const isLoopback = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost';
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
}

function openJwks(address: string): JWTVerifyGetKey | undefined {
  if (!isJwksUrl(address)) {
    complain('authentication.jwt.jwksUrl counts for nothing: it must begin with https://.');
    return undefined;
  }
  const url = new URL(address);
  let quietUntil = 0;
  return createRemoteJWKSet(url, {
    [customFetch]: async (at, options) => {
      if (Date.now() < quietUntil) throw new Error('The JWKS cannot be had.');
      const response = await fetch(at, options).catch(() => undefined);
      if (response?.status === 200) return response;
      quietUntil = Date.now() + QUIET_MILLIS;
      complain(`authentication.jwt.jwksUrl ${response ? `answered with ${response.status}` : 'cannot be reached'}.`);
      throw new Error('The JWKS cannot be had.');
    },
  });
}

/** As many as the hash has. */
const LEAST_SECRET_BYTES = 32;

/** After a failure the address is left alone for so long: whoever brings tokens must not make the room ask and ask. */
const QUIET_MILLIS = 10_000;
