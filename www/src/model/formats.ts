// Payloads as text, in the format that a reader chose. Knows nothing of how it is shown.

import { indented } from './json-text.ts';
import { hexPairs } from './notation.ts';

export const FORMATS = ['text', 'json', 'hex', 'base64', 'cbor', 'messagepack'] as const;

/** How the bytes of a payload are read. */
export type Format = (typeof FORMATS)[number];

/** A payload as text: all of it, never the beginning alone. */
export interface Shown {
  /** The one that was asked for, or `hex` where the payload is not in it. */
  readonly format: Format;
  readonly text: string;
  /** Whether the text holds every byte: not, where some are no UTF-8 and stand as U+FFFD. */
  readonly isWhole: boolean;
  /** What was asked for and could not be had. */
  readonly refused?: Format;
}

/** What knows one format. */
export interface Formatter {
  /** The payload as text. It never throws. */
  show(payload: Uint8Array): Shown;
  /** The value that it stands for; `undefined` where it is none. */
  value(payload: Uint8Array): unknown;
}

/** The formatter of a format: at once, or as soon as what it needs is loaded. */
export function formatter(format: Format): Formatter | Promise<Formatter> {
  return ready.get(format) ?? load(format as 'cbor' | 'messagepack');
}

/**
 * The format that a payload most likely has: by its Content Type, else by how it begins.
 * What it says is only a guess: the formatter falls back to hex.
 */
export function guess(payload: Uint8Array, contentType = ''): Format {
  for (const [pattern, format] of CONTENT_TYPES) if (pattern.test(contentType)) return format;
  const [first = 0, second = 0] = payload;
  if (JSON_BEGINS.has(first) && jsonText(payload) !== undefined) return 'json';
  const text = utf8(payload);
  if (text !== undefined && !CONTROLS.test(text)) return 'text';
  if (first >= 0xa1 && first <= 0xbf && second >= 0x60 && second <= 0x7f) return 'cbor'; // a map that begins with a name
  if (first >= 0x81 && first <= 0x8f && second >= 0xa0 && second <= 0xbf) return 'messagepack'; // likewise
  return 'hex';
}

/** The beginning of a payload on one line, and how many bytes it does not show. */
export interface Preview {
  readonly text: string;
  readonly rest: number;
}

/**
 * A payload for a row of a list.
 * @param bytes At most so many of them are shown.
 */
export function preview(payload: Uint8Array, bytes = 160): Preview {
  const shown = payload.subarray(0, bytes);
  const rest = payload.byteLength - shown.byteLength;
  const text = utf8(shown, rest > 0);
  if (text === undefined || BINARY.test(text)) return { text: hexPairs(shown.subarray(0, bytes / 4)), rest: Math.max(0, payload.byteLength - Math.floor(bytes / 4)) };
  return { text: text.replace(CONTROL, visible), rest };
}

/** The payload as text, where all of it is UTF-8. */
export function utf8(payload: Uint8Array, isPart = false): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload, { stream: isPart });
  } catch {
    return undefined;
  }
}

/** Bytes in Base64. */
export function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += BASE64_STEP) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + BASE64_STEP))));
  }
  return parts.join('');
}

/** The rows of a hex dump: place, sixteen bytes, and those that are ASCII. */
function dump(payload: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < payload.length; at += 16) {
    const bytes = payload.subarray(at, at + 16);
    const digits = hexPairs(bytes).padEnd(48);
    const letters = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`${at.toString(16).padStart(8, '0')}  ${digits} ${letters}`);
  }
  return rows.join('\n');
}

function jsonText(payload: Uint8Array): string | undefined {
  const text = utf8(payload);
  if (text === undefined) return undefined;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

function asHex(payload: Uint8Array, refused: Format): Shown {
  return { format: 'hex', text: dump(payload), isWhole: true, refused };
}

/** What a library does with a payload; both throw where it is not in the format. */
interface Library {
  decode(payload: Uint8Array): unknown;
  show(payload: Uint8Array): string;
}

function load(format: 'cbor' | 'messagepack'): Promise<Formatter> {
  let loading = loads.get(format);
  if (!loading) {
    loading = LIBRARIES[format]().then((library) => {
      const made = decoded(format, library);
      ready.set(format, made);
      return made;
    });
    loading.catch(() => loads.delete(format)); // a page that was offline may ask again
    loads.set(format, loading);
  }
  return loading;
}

function decoded(format: Format, { decode, show }: Library): Formatter {
  return {
    show(payload) {
      try {
        return { format, text: show(payload), isWhole: true };
      } catch {
        return asHex(payload, format);
      }
    },
    value(payload) {
      try {
        return decode(payload);
      } catch {
        return undefined;
      }
    },
  };
}

const LIBRARIES: Record<'cbor' | 'messagepack', () => Promise<Library>> = {
  async cbor() {
    const { decodeCbor, showCbor } = await import('./cbor.ts');
    return { decode: decodeCbor, show: showCbor };
  },
  async messagepack() {
    const { decodeMessagePack, showMessagePack } = await import('./messagepack.ts');
    return { decode: decodeMessagePack, show: showMessagePack };
  },
};

const text: Formatter = {
  show(payload) {
    const whole = utf8(payload);
    return { format: 'text', text: whole ?? lossy.decode(payload), isWhole: whole !== undefined };
  },
  value: jsonValue,
};

const json: Formatter = {
  show(payload) {
    const whole = jsonText(payload);
    return whole === undefined ? asHexOrText(payload) : { format: 'json', text: indented(whole), isWhole: true };
  },
  value: jsonValue,
};

function asHexOrText(payload: Uint8Array): Shown {
  const whole = utf8(payload);
  return whole === undefined ? asHex(payload, 'json') : { format: 'text', text: whole, isWhole: true, refused: 'json' };
}

function jsonValue(payload: Uint8Array): unknown {
  const whole = jsonText(payload);
  return whole === undefined ? undefined : JSON.parse(whole);
}

const ready = new Map<Format, Formatter>([
  ['text', text],
  ['json', json],
  ['hex', { show: (payload) => ({ format: 'hex', text: dump(payload), isWhole: true }), value: jsonValue }],
  ['base64', { show: (payload) => ({ format: 'base64', text: base64(payload), isWhole: true }), value: jsonValue }],
]);
const loads = new Map<Format, Promise<Formatter>>();

const CONTENT_TYPES: [RegExp, Format][] = [
  [/[/+]json\b/i, 'json'],
  [/[/+]cbor\b/i, 'cbor'],
  [/[/+](x-|vnd\.)?msgpack\b/i, 'messagepack'],
  [/^text\//i, 'text'],
];

const lossy = new TextDecoder('utf-8', { ignoreBOM: true });
/** What JSON begins with: `{ [ "`, white space, a digit, a minus, or the `t`, `f`, `n` of its three words. */
const JSON_BEGINS = new Set([...'{[" \t\r\n-0123456789tfn'].map((letter) => letter.charCodeAt(0)));
/** Control characters that no text has. */
const CONTROLS = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/;
const BINARY = /[\0-\x08\x0e-\x1a\x1c-\x1f]/;
/** Control characters, line ends, and what turns the direction of writing. */
const CONTROL = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;
/** A multiple of three, and few enough to be arguments. */
const BASE64_STEP = 0x3000;

function visible(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
