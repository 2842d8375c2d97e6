// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): each proves to the other that it knows the password, or its verifier.

import { base64, unbase64 } from '../base64.js';
import { isEqual } from './equal.js';
import { decode, encode, hmac, prepared, sha256, type Verifier } from './password.js';

/** How MQTT calls it, as the Authentication Method. */
export const SCRAM_SHA_256 = 'SCRAM-SHA-256';

/** What a client began with. */
export interface ClientFirst {
  readonly userName: string;
  /** What it said of itself, as it is signed. */
  readonly bare: string;
  /** What it said of channel binding, of which there is none. */
  readonly header: string;
  readonly nonce: string;
}

/** One exchange, from the challenge on. */
export interface Exchange {
  readonly first: ClientFirst;
  readonly verifier: Verifier;
  readonly challenge: string;
  readonly nonce: string;
}

/** Reads the first message of a client; `undefined` when it is none, or asks for what there is not. */
export function readFirst(data: Uint8Array | undefined): ClientFirst | undefined {
  if (!data || data.byteLength > MAXIMUM_MESSAGE_BYTES) return undefined;
  const [, header = '', bare = '', name = '', nonce = ''] = CLIENT_FIRST.exec(decode(data)) ?? [];
  if (/=(?!2C|3D)/.test(name)) return undefined;
  const userName = prepared(name.replaceAll('=2C', ',').replaceAll('=3D', '='));
  return userName === undefined ? undefined : { userName, bare, header, nonce };
}

/** Answers it. `serverNonce` is a random text without commas. */
export function challenge(first: ClientFirst, verifier: Verifier, serverNonce: string): Exchange {
  const nonce = first.nonce + serverNonce;
  return { first, verifier, nonce, challenge: `r=${nonce},s=${base64(verifier.salt)},i=${verifier.iterations}` };
}

/** What the server says to a client that has proved its password; `undefined` when it has not. */
export async function finish({ first, verifier, challenge, nonce }: Exchange, data: Uint8Array | undefined): Promise<string | undefined> {
  if (!data || data.byteLength > MAXIMUM_MESSAGE_BYTES) return undefined;
  const [, signed = '', binding = '', answered = '', text = ''] = CLIENT_FINAL.exec(decode(data)) ?? [];
  const message = encode([first.bare, challenge, signed].join(','));
  const [signature, answer] = await Promise.all([hmac(verifier.storedKey, message), hmac(verifier.serverKey, message)]);
  const proof = unbase64(text) ?? new Uint8Array();
  const clientKey = signature.map((byte, index) => byte ^ (proof[index] ?? 0));
  const isProved = isEqual(await sha256(clientKey), verifier.storedKey) && proof.byteLength === signature.byteLength;
  const isSame = binding === base64(encode(first.header)) && answered === nonce;
  return isProved && isSame ? `v=${base64(answer)}` : undefined;
}

/** A part of the nonce that nobody can foresee. */
export function createNonce(): string {
  return base64(crypto.getRandomValues(new Uint8Array(18)));
}

/** Without channel binding, in nobody else's name, and without extensions that must be known; others may follow. */
const CLIENT_FIRST = /^([ny],,)(n=([^,]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]*)*)$/u;

const CLIENT_FINAL = /^(c=([^,]*),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]*)*?),p=([^,]*)$/u;

/** Bytes. */
const MAXIMUM_MESSAGE_BYTES = 2_048;
