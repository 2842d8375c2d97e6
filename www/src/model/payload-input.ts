// Payloads as they are typed: text, JSON, hexadecimal digits or Base64. Knows nothing of where they go.

export const INPUT_FORMATS = ['text', 'json', 'hex', 'base64'] as const;

/** How what is typed stands for bytes. */
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** The bytes, or why there are none. */
export type PayloadInput =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly fault: 'json' | 'hexDigit' | 'hexOdd' | 'base64'; /** What the browser said, or what stands there. */ readonly detail: string };

/** What was typed, as bytes. JSON is checked, and sent as it was typed. */
export function parsePayload(text: string, format: InputFormat): PayloadInput {
  switch (format) {
    case 'text':
      return { bytes: encode(text) };
    case 'json':
      return parseJson(text);
    case 'hex':
      return parseHex(text);
    case 'base64':
      return parseBase64(text);
  }
}

function parseJson(text: string): PayloadInput {
  try {
    JSON.parse(text);
    return { bytes: encode(text) };
  } catch (error) {
    return { fault: 'json', detail: error instanceof Error ? error.message : String(error) };
  }
}

function parseHex(text: string): PayloadInput {
  const digits = text.replace(/\b0x|[\s:,;-]/gi, '');
  const [wrong] = /[^0-9a-f]/iu.exec(digits) ?? [];
  if (wrong !== undefined) return { fault: 'hexDigit', detail: wrong };
  if (digits.length % 2 === 1) return { fault: 'hexOdd', detail: digits.slice(-1) };
  return { bytes: Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16)) };
}

/** Both alphabets, with and without the signs that fill the end. */
function parseBase64(text: string): PayloadInput {
  const letters = text.replace(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/');
  try {
    return { bytes: Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0)) };
  } catch {
    return { fault: 'base64', detail: /[^A-Za-z0-9+/=]/u.exec(letters)?.[0] ?? '' };
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
