// The headers by which who gets a webhook knows that it is from here: those of Standard Webhooks 1. Knows no network.

import { base64 } from '../message-json.js';

/**
 * Signs a request. `secret` is text, or `whsec_` and base64. Who remembers `id` takes each request once, and who compares `time`,
 * in milliseconds since 1970, takes none that was copied long ago.
 */
export async function signed(secret: string, id: string, time: number, body: string): Promise<Record<string, string>> {
  const seconds = Math.floor(time / 1000);
  const key = await crypto.subtle.importKey('raw', keyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(`${id}.${seconds}.${body}`));
  return { 'webhook-id': id, 'webhook-timestamp': `${seconds}`, 'webhook-signature': `v1,${base64(new Uint8Array(mac))}` };
}

function keyOf(secret: string): Uint8Array {
  const [, inBase64] = /^whsec_([\w+/]+=*)$/.exec(secret) ?? [];
  return inBase64 === undefined ? encoder.encode(secret) : Uint8Array.from(atob(inBase64), (character) => character.charCodeAt(0));
}

const encoder = new TextEncoder();
