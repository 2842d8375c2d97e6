// Bytes as text in base64 (RFC 4648), and back.

/** Bytes in base64, however many there are. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

/** `undefined` for what is no base64, or lacks its padding. */
export function unbase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  // A regular expression of groups would take a level of its stack for each.
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;

/** What fits into the arguments of a call. */
const PIECE = 8_192;
