// A line of text for each packet, of both versions. Judges nothing: a packet may be wrong, and then it is to be seen.

import type { ProtocolVersion } from './options.js';
import { count, FieldReader, hidden, listed, Malformed, payloadText, type Property, quoted } from './packet-fields.js';

/** The Control Packet types (2.1.2), and what stands for one that does not exist. */
export type PacketType = (typeof PACKET_TYPES)[number];

/** What can be told of a packet. */
export interface PacketDescription {
  readonly type: PacketType;
  /** One line. Secrets are never in it, only how long they are. */
  readonly text: string;
  /** Of a PUBLISH; empty where an unknown Topic Alias stands for it. */
  readonly topic?: string;
  /** The Packet Identifier, if it has one. */
  readonly identifier?: number;
  /** Of a CONNECT, and of a CONNACK that assigns one. */
  readonly clientId?: string;
  /** Of a CONNECT: what is spoken from now on. */
  readonly version?: ProtocolVersion;
}

/** What the packet does not say. */
export interface PacketContext {
  /** What was agreed; a CONNECT names its own. */
  version: ProtocolVersion;
  /** `0x87 Not authorized`. */
  describeReason: (reason: number) => string;
  /** Of the whole packet, if not all of it is there. */
  length?: number;
  /** The Topic Aliases of this direction, which a PUBLISH adds to. */
  aliases?: Map<number, string>;
}

/** Describes a packet. Never throws: one that cannot be read is described as far as it can. */
export function describePacket(bytes: Uint8Array, context: PacketContext): PacketDescription {
  const { length = bytes.length } = context;
  const first = bytes[0] ?? 0;
  const type = PACKET_TYPES[first >> 4] as PacketType;
  const sketch: Sketch = { ...context, length, type, first, reader: new FieldReader(bytes), parts: [], properties: [] };
  try {
    sketch.reader.number(1);
    sketch.reader.variable();
    READERS[type](sketch);
    if (!sketch.reader.isAtEnd) throw new Malformed();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    sketch.parts.push(length > bytes.length ? `${count(length, 'byte')}, too many to be read` : `malformed, ${count(length, 'byte')}`);
  }
  const { identifier, clientId, topic, version } = sketch;
  const words = [type, identifier === undefined ? '' : `#${identifier}`, listed(sketch.parts), braced(sketch.properties)];
  return {
    type,
    text: words.filter((word) => word !== '').join(' '),
    ...(topic !== undefined && { topic }),
    ...(identifier !== undefined && { identifier }),
    ...(clientId !== undefined && { clientId }),
    ...(type === 'CONNECT' && { version }),
  };
}

/** A packet that is being read, and what has come of it. */
interface Sketch extends PacketContext {
  readonly type: PacketType;
  /** The first byte. */
  readonly first: number;
  readonly length: number;
  readonly reader: FieldReader;
  parts: string[];
  properties: Property[];
  topic?: string;
  identifier?: number;
  clientId?: string;
}

function readConnect(sketch: Sketch): void {
  const { reader, parts } = sketch;
  const name = reader.string();
  const level = reader.number(1);
  parts.push(PROTOCOLS[`${name} ${level}`] ?? `${quoted(name)} level ${level}`);
  sketch.version = level < 5 ? 4 : 5;
  const flags = reader.number(1);
  const keepAlive = reader.number(2);
  sketch.properties = properties(sketch);
  sketch.clientId = reader.string();
  parts.push(`client ${quoted(sketch.clientId)}`);
  if (flags & 0x02) parts.push(sketch.version === 5 ? 'clean start' : 'clean session');
  parts.push(`keep alive ${keepAlive} s`);
  if (flags & 0x04) parts.push(readWill(sketch, flags));
  const hasPassword = (flags & 0x40) !== 0;
  if (flags & 0x80) {
    // Without a password, or when it is long, it may be a token itself.
    const userName = reader.binary();
    parts.push(`user name ${hasPassword && userName.length <= LONGEST_NAME ? payloadText(userName) : hidden(userName)}`);
  }
  if (hasPassword) parts.push(`password ${hidden(reader.binary())}`);
}

function readWill(sketch: Sketch, flags: number): string {
  const { reader } = sketch;
  const said = properties(sketch);
  const topic = quoted(reader.string());
  const payload = payloadText(reader.binary());
  const parts = [topic, `QoS ${(flags >> 3) & 3}`, ...(flags & 0x20 ? ['retain'] : []), payload];
  return `will (${parts.join(', ')}${said.length > 0 ? ` ${braced(said)}` : ''})`;
}

function readConnack(sketch: Sketch): void {
  const { reader, version, describeReason } = sketch;
  const flags = reader.number(1);
  const code = reader.number(1);
  sketch.parts.push(describeReason(version === 5 ? code : (RETURN_CODES[code] ?? code)));
  if (flags & 1) sketch.parts.push('session present');
  sketch.properties = properties(sketch);
  const assigned = sketch.properties.find(({ value }) => value !== undefined)?.value;
  if (assigned !== undefined) sketch.clientId = assigned;
}

function readPublish(sketch: Sketch): void {
  const { reader, first, parts } = sketch;
  const qos = (first >> 1) & 3;
  const written = reader.string();
  sketch.topic = written;
  if (qos > 0) sketch.identifier = reader.number(2);
  parts.push(quoted(written), `QoS ${qos}`);
  if (first & 0x01) parts.push('retain');
  if (first & 0x08) parts.push('dup');
  sketch.properties = properties(sketch);
  sketch.topic = resolve(sketch, written);
  if (sketch.topic !== written) parts[0] = `${quoted(sketch.topic)} (by its alias)`;
  const payload = reader.rest();
  parts.push(payloadText(payload, sketch.length - reader.position + payload.length));
}

/** The topic that is meant. */
function resolve({ aliases, properties: said }: Sketch, topic: string): string {
  const alias = said.find(({ name }) => name === 'topicAlias');
  if (!alias || !aliases) return topic;
  if (topic !== '' && aliases.size < MOST_ALIASES) aliases.set(Number(alias.text), topic);
  return topic || (aliases.get(Number(alias.text)) ?? '');
}

function readAcknowledgement(sketch: Sketch): void {
  sketch.identifier = sketch.reader.number(2);
  // [MQTT-3.4.2-1] and its like: what is left out is Success
  if (sketch.version === 5) readReason(sketch);
}

function readReason(sketch: Sketch): void {
  const { reader, type, version, describeReason } = sketch;
  if (version === 4 && reader.isAtEnd) return;
  const reason = reader.isAtEnd ? 0 : reader.number(1);
  sketch.parts.push(type === 'DISCONNECT' && reason === 0 ? '0x00 Normal disconnection' : describeReason(reason));
  if (!reader.isAtEnd) sketch.properties = properties(sketch);
}

function readSubscribe(sketch: Sketch): void {
  const { reader, parts } = sketch;
  sketch.identifier = reader.number(2);
  sketch.properties = properties(sketch);
  while (!reader.isAtEnd) {
    const filter = reader.string();
    const options = reader.number(1);
    const more = [options & 0x04 && 'no local', options & 0x08 && 'retain as published', RETAIN_HANDLING[(options >> 4) & 3]].filter(Boolean);
    parts.push(`${quoted(filter)} QoS ${options & 3}${more.length > 0 ? ` (${more.join(', ')})` : ''}`);
  }
}

function readUnsubscribe(sketch: Sketch): void {
  const { reader, parts } = sketch;
  sketch.identifier = reader.number(2);
  sketch.properties = properties(sketch);
  while (!reader.isAtEnd) parts.push(quoted(reader.string()));
}

function readReasons(sketch: Sketch): void {
  const { reader, parts, type, describeReason } = sketch;
  sketch.identifier = reader.number(2);
  sketch.properties = properties(sketch);
  for (const reason of reader.rest()) {
    parts.push(type === 'SUBACK' && reason < 3 ? `0x0${reason} Granted QoS ${reason}` : describeReason(reason));
  }
}

/** 3.1.1 has none. */
function properties({ reader, version }: Sketch): Property[] {
  return version === 5 ? reader.properties() : [];
}

function braced(said: readonly Property[]): string {
  return said.length === 0 ? '' : `{${listed(said.map(({ name, text }) => `${name}: ${text}`))}}`;
}

/** Every type, by its number. */
export const PACKET_TYPES = [
  'RESERVED',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
] as const;

const READERS: { readonly [type in PacketType]: (sketch: Sketch) => void } = {
  RESERVED: () => {
    throw new Malformed();
  },
  CONNECT: readConnect,
  CONNACK: readConnack,
  PUBLISH: readPublish,
  PUBACK: readAcknowledgement,
  PUBREC: readAcknowledgement,
  PUBREL: readAcknowledgement,
  PUBCOMP: readAcknowledgement,
  SUBSCRIBE: readSubscribe,
  SUBACK: readReasons,
  UNSUBSCRIBE: readUnsubscribe,
  UNSUBACK: readReasons,
  PINGREQ: () => {},
  PINGRESP: () => {},
  DISCONNECT: readReason,
  AUTH: readReason,
};

const PROTOCOLS: { readonly [named: string]: string } = {
  'MQIsdp 3': 'MQTT 3.1',
  'MQTT 4': 'MQTT 3.1.1',
  'MQTT 5': 'MQTT 5.0',
};

/** The Reason Codes that the return codes of 3.1.1 mean. */
const RETURN_CODES: readonly number[] = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87];

const RETAIN_HANDLING: readonly (string | undefined)[] = [undefined, 'retained if new', 'no retained', 'retain handling 3'];

/** Topic Aliases that are remembered. */
const MOST_ALIASES = 1_000;

/** Bytes of a user name that is shown. */
const LONGEST_NAME = 32;
