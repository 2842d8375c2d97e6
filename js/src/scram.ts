// SCRAM-SHA-256 (RFC 5802, RFC 7677): client and server prove to each other that they know a password, and never say it.

import type { Authentication } from './authentication.js';
import { checked, type ShapeOf } from './check.js';
import { MqttError } from './error.js';

/** Who the client is, and how much work the server may ask of it. */
export interface ScramOptions {
  userName: string;
  password: string;
  /**
   * Rounds of hashing that the server may ask for. Fewer than the least protect the password too badly, and more than the most
   * could keep this program busy for ever. Default 4,096 and 1,000,000.
   */
  minimumIterations?: number;
  maximumIterations?: number;
}

/**
 * Authenticates with SCRAM-SHA-256, as `authentication` in the options of `connect`. The server is authenticated too: one that does
 * not know the password is left. User name and password are normalised to NFKC, as in SASLprep (RFC 4013), which also says that
 * some characters are forbidden: those are refused. There is no channel binding: the platform tells nothing of its TLS.
 * @throws MqttError `invalid-options`, or `unsupported` where there is no WebCrypto, as in pages that came over HTTP.
 */
export function scramSha256(options: ScramOptions): Authentication {
  const { userName = '', password = '', minimumIterations = 4_096, maximumIterations = 1_000_000 } = checked(options, SCRAM_OPTIONS);
  const name = prepared('userName', userName).replaceAll('=', '=3D').replaceAll(',', '=2C');
  const secret = encode(prepared('password', password));
  if (typeof crypto !== 'object' || !crypto.subtle) {
    throw new MqttError('unsupported', 'This platform has no WebCrypto.', {
      hint: 'Browsers have it for pages that come over HTTPS or from localhost.',
    });
  }
  let steps: Steps | undefined;
  return {
    method: 'SCRAM-SHA-256',
    begin: () => {
      steps = new Steps(name, secret, { least: minimumIterations, most: maximumIterations });
      return steps.first();
    },
    respond: (challenge) => (steps ?? refuse('the server began')).second(decode(challenge)),
    finish: (data) => (steps ?? refuse('the server began')).last(data && decode(data)),
  };
}

/** One exchange. */
class Steps {
  readonly #secret: Bytes;
  readonly #limits: { least: number; most: number };
  readonly #nonce = base64(crypto.getRandomValues(new Uint8Array(15)));
  readonly #bare: string;
  #expected: Bytes | undefined;

  constructor(name: string, secret: Bytes, limits: { least: number; most: number }) {
    this.#secret = secret;
    this.#limits = limits;
    this.#bare = `n=${name},r=${this.#nonce}`;
  }

  first(): Bytes {
    return encode(GS2_HEADER + this.#bare);
  }

  async second(challenge: string): Promise<Bytes> {
    if (this.#expected) refuse('the server sent two challenges');
    const { nonce, salt, iterations } = this.#read(challenge);
    const salted = await hi(this.#secret, salt, iterations);
    const final = `c=${base64(encode(GS2_HEADER))},r=${nonce}`;
    const signed = encode([this.#bare, challenge, final].join(','));
    const clientKey = await hmac(salted, encode('Client Key'));
    const storedKey = new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey));
    const signature = await hmac(storedKey, signed);
    this.#expected = await hmac(await hmac(salted, encode('Server Key')), signed);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return encode(`${final},p=${base64(proof)}`);
  }

  last(final: string | undefined): void {
    const [, error] = /^e=([^,]*)/.exec(final ?? '') ?? [];
    if (error !== undefined) refuse(`the server says: ${error}`);
    const [, signature] = /^v=([^,]*)/.exec(final ?? '') ?? [];
    if (!this.#expected || signature === undefined || !isEqual(unbase64(signature), this.#expected)) {
      refuse('the server does not prove that it knows the password');
    }
  }

  #read(challenge: string): { nonce: string; salt: Bytes; iterations: number } {
    const [, nonce = '', salt = '', count = ''] = CHALLENGE.exec(challenge) ?? refuse('the challenge cannot be read');
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) refuse('the challenge belongs to another exchange');
    const iterations = Number(count);
    if (iterations < this.#limits.least) refuse(`${count} iterations protect the password too badly`);
    if (iterations > this.#limits.most) refuse(`${count} iterations are too many`);
    return { nonce, salt: unbase64(salt), iterations };
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** `SaltedPassword`: what SCRAM calls Hi is PBKDF2. */
async function hi(secret: Bytes, salt: Bytes, iterations: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256));
}

async function hmac(secret: Bytes, message: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}

/** Takes as long for every two values of one length. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  other.forEach((byte, index) => (difference |= byte ^ (one[index] ?? 0)));
  return difference === 0;
}

/**
 * SASLprep, but for its tables of Unicode 3.2: what is not a plain space becomes one, soft hyphens and their like go, the rest is
 * normalised, and control characters, private use, surrogates, non-characters and unassigned code points are refused.
 */
function prepared(name: string, text: string): string {
  const normal = text
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu, '')
    .replace(/\p{Zs}/gu, ' ')
    .normalize('NFKC');
  if (normal !== '' && !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u.test(normal)) return normal;
  throw new MqttError('invalid-options', `${name} must be text, and have no control characters.`);
}

function refuse(why: string): never {
  throw new MqttError('authentication-failed', `SCRAM-SHA-256 failed: ${why}.`);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function unbase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return refuse('what the server sent is no base64');
  }
}

function encode(text: string): Bytes {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Without channel binding, and for no other user. */
const GS2_HEADER = 'n,,';

/** A nonce, a salt and the number of iterations; extensions that are not mandatory may follow. */
const CHALLENGE = /^r=([!-+\--~]+),s=([A-Za-z\d+/]+={0,2}),i=([1-9]\d{0,9})(?:,|$)/;

const SCRAM_OPTIONS: ShapeOf<ScramOptions> = {
  userName: 'text',
  password: 'text',
  minimumIterations: 'number',
  maximumIterations: 'number',
};
