// Passwords, and what is kept instead of them: a verifier of SCRAM-SHA-256 (RFC 5803), which serves a password in CONNECT too.

import { base64, unbase64 } from '../base64.js';
import { isEqual } from './equal.js';

type Bytes = Uint8Array<ArrayBuffer>;

/** What is known of a password. */
export interface Verifier {
  readonly iterations: number;
  readonly salt: Bytes;
  readonly storedKey: Bytes;
  readonly serverKey: Bytes;
}

/**
 * The text that is kept of a password: `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY`.
 * `undefined` for a password that nobody may have: empty, or with control characters.
 */
export async function createVerifier(password: string, iterations: number): Promise<string | undefined> {
  const secret = prepared(password);
  if (secret === undefined) return undefined;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const { storedKey, serverKey } = await keysOf(encode(secret), salt, iterations);
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** Reads such a text; `undefined` when it is none. */
export function parseVerifier(text: string): Verifier | undefined {
  const [, count = '', ...parts] = VERIFIER.exec(text) ?? [];
  const iterations = Number(count);
  const [salt, storedKey, serverKey] = parts.map(unbase64);
  if (iterations < 1 || iterations > MAXIMUM_ITERATIONS || !salt || !storedKey || !serverKey) return undefined;
  const isWhole = salt.byteLength > 0 && storedKey.byteLength === KEY_BYTES && serverKey.byteLength === KEY_BYTES;
  return isWhole ? { iterations, salt, storedKey, serverKey } : undefined;
}

/** A verifier that no password matches: what is worked with for those who do not exist. */
export function decoyVerifier(iterations: number, salt: Bytes = crypto.getRandomValues(new Uint8Array(16))): Verifier {
  const [storedKey, serverKey] = [KEY_BYTES, KEY_BYTES].map((length) => crypto.getRandomValues(new Uint8Array(length))) as [Bytes, Bytes];
  return { iterations, salt, storedKey, serverKey };
}

/**
 * Whether this is the password, with the same work whether it is or not.
 * @throws NotSupportedError where the platform refuses so many iterations: Cloudflare takes 100,000 at most.
 */
export async function isPassword(password: Uint8Array, { salt, iterations, storedKey }: Verifier): Promise<boolean> {
  const secret = password.byteLength <= MAXIMUM_PASSWORD_BYTES ? prepared(decode(password)) : undefined;
  const keys = await keysOf(encode(secret ?? 'none'), salt, iterations);
  return isEqual(keys.storedKey, storedKey) && secret !== undefined;
}

/** A user name or password as SASLprep (RFC 4013) has it, but for its tables of Unicode 3.2; `undefined` when that forbids it. */
export function prepared(text: string): string | undefined {
  const normal = text
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu, '')
    .replace(/\p{Zs}/gu, ' ')
    .normalize('NFKC');
  return normal === '' || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\ufffd]/u.test(normal) ? undefined : normal;
}

/** HMAC-SHA-256. */
export async function hmac(secret: Bytes, message: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export function encode(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes;
}

/** Bytes that are no UTF-8 become U+FFFD, which `prepared` forbids. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
}

async function keysOf(secret: Bytes, salt: Bytes, iterations: number): Promise<{ storedKey: Bytes; serverKey: Bytes }> {
  const key = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  const salted = new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256));
  const [clientKey, serverKey] = await Promise.all([hmac(salted, encode('Client Key')), hmac(salted, encode('Server Key'))]);
  return { storedKey: await sha256(clientKey), serverKey };
}

const VERIFIER = /^SCRAM-SHA-256\$(\d{1,7}):([A-Za-z\d+/=]{1,128})\$([A-Za-z\d+/=]{1,64}):([A-Za-z\d+/=]{1,64})$/;

/** More would keep a room busy for seconds. */
const MAXIMUM_ITERATIONS = 1_000_000;

/** Bytes of SHA-256. */
const KEY_BYTES = 32;

/** Bytes: the rest of what CONNECT has room for is no password. */
const MAXIMUM_PASSWORD_BYTES = 1_024;
