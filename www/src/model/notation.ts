// Values that JSON has no words for, in the diagnostic notation of CBOR (RFC 8949, 8), over lines. Knows neither CBOR nor MessagePack.

/** Something that a format marks with a number: a tag of CBOR, an extension type of MessagePack. */
export class Marked {
  readonly mark: number | bigint;
  readonly content: unknown;

  constructor(mark: number | bigint, content: unknown) {
    this.mark = mark;
    this.content = content;
  }
}

/**
 * A value as text.
 * @throws RangeError when it is nested too deeply.
 */
export function notation(value: unknown, depth = 0): string {
  if (depth > DEEPEST) throw new RangeError(`It is nested more than ${DEEPEST} levels deep.`);
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (value instanceof Marked) return `${value.mark}(${notation(value.content, depth)})`;
  if (Array.isArray(value)) return block('[', value.map((item) => notation(item, depth + 1)), ']', depth);
  if (value instanceof Map) return block('{', [...value].map(([name, item]) => member(name, item, depth)), '}', depth);
  if (typeof value === 'object' && value !== null) {
    return block('{', Object.entries(value).map(([name, item]) => member(name, item, depth)), '}', depth);
  }
  return scalar(value);
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  const digits: string[] = [];
  for (const byte of bytes) digits.push(HEX[byte]!);
  return digits.join('');
}

/** Likewise, with a space between two bytes. */
export function hexPairs(bytes: Uint8Array): string {
  return hex(bytes).replace(/..(?=.)/g, '$& ');
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

function member(name: unknown, value: unknown, depth: number): string {
  return `${notation(name, depth + 1)}: ${notation(value, depth + 1)}`;
}

function block(open: string, items: string[], close: string, depth: number): string {
  if (items.length === 0) return open + close;
  const indent = '  '.repeat(depth + 1);
  return `${open}\n${indent}${items.join(`,\n${indent}`)}\n${'  '.repeat(depth)}${close}`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const DEEPEST = 256;
