// What a packet is, in a line: read in passing, from any bytes, without taking all of it apart. Never throws.

import { packetName, type PacketName, PROPERTIES, reasonName, RETURN_CODES, type WireVersion } from './packet-names.ts';

/** What is said of a packet beside its name; absent is what it does not have. */
export interface PacketSummary {
  readonly name: PacketName | undefined;
  readonly packetIdentifier?: number;
  readonly qos?: 0 | 1 | 2 | 3;
  readonly dup?: true;
  readonly retain?: true;
  /** Of a PUBLISH its Topic Name, of a SUBSCRIBE or UNSUBSCRIBE its first Topic Filter, of a CONNECT its Client Identifier. */
  readonly subject?: string;
  /** Bytes of the payload. */
  readonly payload?: number;
  readonly sessionPresent?: true;
  /** Filters or Reason Codes beside the first. */
  readonly more?: number;
  readonly reason?: { readonly code: number; readonly name: string };
}

/** `length`: how many bytes the packet has, where not all are here. */
export function summarise(bytes: Uint8Array, version: WireVersion, length: number = bytes.length): PacketSummary {
  const name = bytes.length > 0 ? packetName(bytes[0]!) : undefined;
  const reader = new Peek(bytes);
  switch (name) {
    case 'CONNECT':
      return { name, subject: connectClientId(bytes) };
    case 'CONNACK': {
      const flags = reader.byte();
      const code = reader.byte();
      const text = version === 5 ? reasonName(code, name) : RETURN_CODES[code];
      return { name, ...(flags & 1 && { sessionPresent: true }), reason: { code, name: text ?? '' } };
    }
    case 'PUBLISH':
      return publish(bytes[0]!, reader, version, length);
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP': {
      const packetIdentifier = reader.short();
      const code = reader.isAtEnd ? 0 : reader.byte();
      return { name, packetIdentifier, ...(code > 0 && { reason: { code, name: reasonName(code, name) ?? '' } }) };
    }
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      const packetIdentifier = reader.short();
      if (version === 5) reader.skipProperties();
      const subject = reader.text();
      const option = name === 'SUBSCRIBE' ? reader.byte() : undefined;
      let more = 0;
      for (; !reader.isAtEnd; more += 1) {
        reader.text();
        if (option !== undefined) reader.byte();
      }
      return { name, packetIdentifier, subject, ...(option !== undefined && { qos: (option & 3) as 0 }), ...(more > 0 && { more }) };
    }
    case 'SUBACK':
    case 'UNSUBACK': {
      const packetIdentifier = reader.short();
      if (version === 5) reader.skipProperties();
      if (reader.isAtEnd) return { name, packetIdentifier };
      const code = reader.byte();
      const more = reader.left;
      return { name, packetIdentifier, reason: { code, name: reasonName(code, name) ?? '' }, ...(more > 0 && { more }) };
    }
    case 'DISCONNECT':
    case 'AUTH': {
      const code = reader.isAtEnd ? 0 : reader.byte();
      return { name, reason: { code, name: reasonName(code, name) ?? '' } };
    }
    default:
      return { name };
  }
}

/** The Packet Identifier, if the packet has one: far less work than all of the summary. */
export function packetIdentifierOf(bytes: Uint8Array): number | undefined {
  const type = bytes[0]! >> 4;
  if (type < 3 || type > 11 || (type === 3 && !(bytes[0]! & 6))) return undefined;
  const reader = new Peek(bytes);
  if (type === 3) reader.skip(reader.short());
  return reader.short();
}

/** The version that the bytes of a CONNECT name; `undefined` if they do not come that far, or name another. */
export function connectVersion(bytes: Uint8Array): WireVersion | undefined {
  let at = 1;
  while (at < 5 && (bytes[at] ?? 0) >= 0x80) at += 1;
  const name = at + 1;
  const level = bytes[name + 2 + bytes[name]! * 0x100 + bytes[name + 1]!];
  return level === 4 || level === 5 ? level : undefined;
}

/** The Client Identifier of a CONNECT. */
export function connectClientId(bytes: Uint8Array): string {
  const reader = new Peek(bytes);
  reader.text();
  const level = reader.byte();
  reader.skip(3);
  if (level === 5) reader.skipProperties();
  return reader.text();
}

/** The Client Identifier that a CONNACK of MQTT 5 assigns. */
export function assignedClientId(bytes: Uint8Array): string | undefined {
  const reader = new Peek(bytes);
  reader.skip(2);
  return reader.property(0x12) as string | undefined;
}

/** Remembers the topic of a Topic Alias, or finds it; the latter is the answer. */
export function aliasedTopic(bytes: Uint8Array, aliases: Map<number, string>): string | undefined {
  const reader = new Peek(bytes);
  const topic = reader.text();
  if (bytes[0]! & 6) reader.skip(2);
  const alias = reader.property(0x23) as number | undefined;
  if (alias === undefined) return undefined;
  if (topic === '') return aliases.get(alias);
  aliases.set(alias, topic);
  return undefined;
}

function publish(first: number, reader: Peek, version: WireVersion, length: number): PacketSummary {
  const qos = ((first >> 1) & 3) as 0 | 1 | 2 | 3;
  const subject = reader.text();
  const packetIdentifier = qos > 0 ? reader.short() : undefined;
  if (version === 5) reader.skipProperties();
  return {
    name: 'PUBLISH',
    qos,
    subject,
    payload: Math.max(0, length - reader.at),
    ...(packetIdentifier !== undefined && { packetIdentifier }),
    ...(first & 8 && { dup: true }),
    ...(first & 1 && { retain: true }),
  };
}

/** Reads zeros beyond the end. */
class Peek {
  readonly #bytes: Uint8Array;
  at = 1;

  /** Begins behind the Fixed Header. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.variable();
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  get left(): number {
    return Math.max(0, this.#bytes.length - this.at);
  }

  byte(): number {
    this.at += 1;
    return this.#bytes[this.at - 1] ?? 0;
  }

  short(): number {
    return this.byte() * 0x100 + this.byte();
  }

  variable(): number {
    let value = 0;
    for (let place = 0; place < 4; place += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** place;
      if (byte < 0x80) break;
    }
    return value;
  }

  text(): string {
    const length = this.short();
    const start = this.at;
    this.skip(length);
    return text.decode(this.#bytes.subarray(start, start + length));
  }

  skip(length: number): void {
    this.at = Math.min(this.at + length, Math.max(this.at, this.#bytes.length));
  }

  skipProperties(): void {
    this.skip(this.variable());
  }

  /** The value of the first property of this identifier. */
  property(wanted: number): number | string | undefined {
    const length = this.variable();
    const end = this.at + length;
    while (this.at < end && !this.isAtEnd) {
      const identifier = this.byte();
      const value = this.#value(identifier);
      if (value === undefined || identifier === wanted) return value;
    }
    return undefined;
  }

  #value(identifier: number): number | string | undefined {
    switch (PROPERTIES[identifier]?.type) {
      case 'boolean':
      case 'quality':
        return this.byte();
      case 'short':
      case 'nonZeroShort':
        return this.short();
      case 'long':
      case 'nonZeroLong':
        return this.short() * 0x10000 + this.short();
      case 'identifier':
        return this.variable();
      case 'pair':
        return this.text() + this.text();
      case 'text':
      case 'topic':
      case 'bytes':
      case 'secret':
        return this.text();
      default:
        return undefined;
    }
  }
}

const text = new TextDecoder('utf-8', { ignoreBOM: true });
