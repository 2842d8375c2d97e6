// The fields of a packet, as text that is short, has no line breaks, and shows no secret.

/** A packet ended too early, or has what no packet may have. */
export class Malformed extends Error {}

/** Reads a packet from its first byte to its last. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#at;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  /** A number of as many bytes. */
  number(length: 1 | 2 | 4): number {
    return this.take(length).reduce((sum, byte) => sum * 0x100 + byte, 0);
  }

  /** A Variable Byte Integer. */
  variable(): number {
    for (let sum = 0, unit = 1; unit <= 128 ** 3; unit *= 128) {
      const byte = this.number(1);
      sum += (byte & 0x7f) * unit;
      if (byte < 0x80) return sum;
    }
    throw new Malformed();
  }

  binary(): Uint8Array {
    return this.take(this.number(2));
  }

  string(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.binary());
  }

  /** The properties, in their order. */
  properties(): Property[] {
    const section = new FieldReader(this.take(this.variable()));
    const properties: Property[] = [];
    while (!section.isAtEnd) {
      const [name, type] = PROPERTIES[section.variable()] ?? [];
      if (name === undefined || type === undefined) throw new Malformed();
      if (name === 'assignedClientIdentifier') {
        const value = section.string();
        properties.push({ name, text: quoted(value), value });
      } else {
        properties.push({ name, text: READ[type](section) });
      }
    }
    return properties;
  }
}

export interface Property {
  readonly name: string;
  /** What is shown of it. */
  readonly text: string;
  /** The whole of it, where somebody needs that. */
  readonly value?: string;
}

/** Text between quotation marks, on one line, shortened. What would not be seen or would change what is beside it is escaped. */
export function quoted(text: string): string {
  const characters = [...text.slice(0, 2 * LONGEST_TEXT)];
  const shown = characters.slice(0, LONGEST_TEXT).join('');
  const escaped = JSON.stringify(shown).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
  return shown.length < text.length ? `${escaped}… (${count(text.length, 'character')})` : escaped;
}

/** A payload: as text if it is some, else as bytes. `length` is that of the whole. */
export function payloadText(bytes: Uint8Array, length = bytes.length): string {
  if (length === 0) return '(empty)';
  try {
    // Four bytes more than can be shown, so that the end may fall within a character.
    const head = bytes.subarray(0, 4 * LONGEST_TEXT + 4);
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head, { stream: head.length < length });
    if (!/[\0-\x08\x0e-\x1f]/.test(text)) {
      const shown = [...text].slice(0, LONGEST_TEXT).join('');
      const isWhole = shown.length === text.length && head.length === length;
      return isWhole ? quoted(shown) : `${quoted(shown)}… (${count(length, 'byte')})`;
    }
  } catch {}
  return bytesText(bytes, length);
}

/** Bytes as hexadecimal digits. */
function bytesText(bytes: Uint8Array, length = bytes.length): string {
  const digits = [...bytes.subarray(0, MOST_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return length > MOST_BYTES ? `0x${digits}… (${count(length, 'byte')})` : `0x${digits}`;
}

/** What stands for something secret. */
export function hidden({ length }: Uint8Array): string {
  return `(${count(length, 'byte')})`;
}

/** The first of many. */
export function listed(items: readonly string[]): string {
  const rest = items.length - MOST_ITEMS;
  return [...items.slice(0, MOST_ITEMS), ...(rest > 0 ? [`… (${rest} more)`] : [])].join(', ');
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** How each type of property is read and shown. */
const READ = {
  byte: (reader: FieldReader) => `${reader.number(1)}`,
  short: (reader: FieldReader) => `${reader.number(2)}`,
  long: (reader: FieldReader) => `${reader.number(4)}`,
  variable: (reader: FieldReader) => `${reader.variable()}`,
  text: (reader: FieldReader) => quoted(reader.string()),
  bytes: (reader: FieldReader) => bytesText(reader.binary()),
  secret: (reader: FieldReader) => hidden(reader.binary()),
  pair: (reader: FieldReader) => `${quoted(reader.string())} = ${quoted(reader.string())}`,
};

/** The properties by identifier (2.2.2.2). */
const PROPERTIES: { readonly [identifier: number]: readonly [name: string, type: keyof typeof READ] } = {
  0x01: ['payloadFormatIndicator', 'byte'],
  0x02: ['messageExpiryInterval', 'long'],
  0x03: ['contentType', 'text'],
  0x08: ['responseTopic', 'text'],
  0x09: ['correlationData', 'bytes'],
  0x0b: ['subscriptionIdentifier', 'variable'],
  0x11: ['sessionExpiryInterval', 'long'],
  0x12: ['assignedClientIdentifier', 'text'],
  0x13: ['serverKeepAlive', 'short'],
  0x15: ['authenticationMethod', 'text'],
  0x16: ['authenticationData', 'secret'],
  0x17: ['requestProblemInformation', 'byte'],
  0x18: ['willDelayInterval', 'long'],
  0x19: ['requestResponseInformation', 'byte'],
  0x1a: ['responseInformation', 'text'],
  0x1c: ['serverReference', 'text'],
  0x1f: ['reasonString', 'text'],
  0x21: ['receiveMaximum', 'short'],
  0x22: ['topicAliasMaximum', 'short'],
  0x23: ['topicAlias', 'short'],
  0x24: ['maximumQos', 'byte'],
  0x25: ['retainAvailable', 'byte'],
  0x26: ['userProperty', 'pair'],
  0x27: ['maximumPacketSize', 'long'],
  0x28: ['wildcardSubscriptionAvailable', 'byte'],
  0x29: ['subscriptionIdentifiersAvailable', 'byte'],
  0x2a: ['sharedSubscriptionAvailable', 'byte'],
};

/** Characters that are shown of a text. */
const LONGEST_TEXT = 64;

/** Bytes that are shown as digits. */
const MOST_BYTES = 16;

/** Entries of a list that are shown. */
const MOST_ITEMS = 16;
