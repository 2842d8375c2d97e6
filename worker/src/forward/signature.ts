// The headers by which who gets a webhook knows that it is from here: those of Standard Webhooks 1. Knows no network.

import { base64, unbase64 } from '../base64.js';

/** What a secret signs with: its text, or what follows `whsec_` in base64. `undefined` when that is no base64, or nothing. */
export function keyOf(secret: string): Uint8Array | undefined {
  const key = secret.startsWith(PREFIX) ? bytesOf(secret.slice(PREFIX.length)) : encoder.encode(secret);
  return key?.byteLength ? key : undefined;
}

/**
 * Signs a request. Who remembers `id` takes each request once, and who compares `time`, in milliseconds since 1970, takes none that
 * was copied long ago.
 */
export async function signed(secret: Uint8Array, id: string, time: number, body: string): Promise<Record<string, string>> {
  const seconds = Math.floor(time / 1000);
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(`${id}.${seconds}.${body}`));
  return { 'webhook-id': id, 'webhook-timestamp': `${seconds}`, 'webhook-signature': `v1,${base64(new Uint8Array(mac))}` };
}

/** With its padding or without. */
function bytesOf(text: string): Uint8Array | undefined {
  return unbase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='));
}

const PREFIX = 'whsec_';

const encoder = new TextEncoder();
