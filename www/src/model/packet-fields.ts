// A packet of MQTT 3.1.1 or 5.0, field by field, with the place of each in the bytes and the rule that it obeys. Bytes that are no
// packet are fields too, which say what is wrong. Never throws.

import { acknowledgement, authentication, connack, connect, disconnect, publish, suback, subscribe, unsuback, unsubscribe } from './packet-bodies.ts';
import { type PacketField, PacketCursor, STOP } from './packet-cursor.ts';
import { type PacketName, packetName, type WireVersion } from './packet-names.ts';
import type { RuleName } from './packet-rules.ts';
import { connectVersion } from './packet-summary.ts';

export type { FieldFault, FieldNote, PacketField } from './packet-cursor.ts';
export type { PacketName, WireVersion } from './packet-names.ts';

export interface PacketFields {
  /** `undefined` for a type that the standard does not have. */
  readonly name: PacketName | undefined;
  readonly version: WireVersion;
  /** They cover all bytes, one after the other. */
  readonly fields: readonly PacketField[];
  /** Whether something is wrong with it. */
  readonly hasFault: boolean;
}

/**
 * Takes a packet apart.
 * @param bytes The packet, or as many of its bytes as there are.
 * @param version What was agreed on; a CONNECT names its own.
 * @param length How many bytes the packet has.
 */
export function decodePacket(bytes: Uint8Array, version: WireVersion, length: number = bytes.length): PacketFields {
  const name = bytes.length > 0 ? packetName(bytes[0]!) : undefined;
  const spoken = name === 'CONNECT' ? (connectVersion(bytes) ?? version) : version;
  const cursor = new PacketCursor(bytes, spoken, length);
  try {
    read(cursor, name);
  } catch (error) {
    if (error !== STOP) throw error;
  }
  cursor.end = bytes.length;
  if (!cursor.isAtEnd) cursor.blame(cursor.rest('Rest'), 'notDecoded');
  return { name, version: spoken, fields: cursor.list, hasFault: cursor.hasFault };
}

/** The smallest field that has the byte at this place; of the parts of one byte the whole of it. */
export function fieldAt(fields: readonly PacketField[], at: number): PacketField | undefined {
  const field = fields.find(({ start, end, mask }) => mask === undefined && at >= start && at < end);
  return field && (fieldAt(field.fields ?? [], at) ?? field);
}

function read(cursor: PacketCursor, name: PacketName | undefined): void {
  const first = firstByte(cursor, name);
  const length = cursor.variable('Remaining Length');
  const whole = cursor.at + length.value;
  if (whole !== cursor.length) cursor.blame(length.field, 'lengthWrong');
  if (!name) return;
  cursor.within(length.value, () => {
    BODIES[name](cursor, first);
    if (cursor.isAtEnd) return;
    cursor.blame(cursor.rest('Rest'), 'trailing');
  });
}

/** Packet type and flags (2.1.2, 2.1.3). */
function firstByte(cursor: PacketCursor, name: PacketName | undefined): number {
  const start = cursor.take('Packet type', 1);
  const byte = cursor.bytes[start]!;
  const header = cursor.add('Fixed Header', start, name ?? '');
  const part = (label: string, value: string, mask: number, rule?: RuleName): PacketField => {
    const field = cursor.add(label, start, value, { rule });
    field.mask = mask;
    return field;
  };
  const outer = cursor.list;
  cursor.list = header.fields = [];
  const type = part('MQTT Control Packet type', name ? `${byte >> 4} ${name}` : String(byte >> 4), 0xf0, PACKET_RULES[name ?? 'AUTH']);
  if (!name) cursor.blame(type, 'typeUnknown');
  else if (name === 'AUTH' && cursor.version === 4) cursor.blame(type, 'notIn311');
  if (name === 'PUBLISH') publishFlags(cursor, byte, part);
  else if (name) {
    const flags = part('Reserved', (byte & 0x0f).toString(2).padStart(4, '0'), 0x0f, FLAG_RULES[name] ?? 'reservedFlags');
    if ((byte & 0x0f) !== (SET_FLAGS.includes(name) ? 0b0010 : 0)) cursor.blame(flags, 'reserved');
  }
  cursor.list = outer;
  return byte;
}

function publishFlags(cursor: PacketCursor, byte: number, part: (label: string, value: string, mask: number, rule?: RuleName) => PacketField): void {
  const quality = (byte >> 1) & 3;
  const dup = part('DUP', String((byte >> 3) & 1), 0x08, quality === 0 ? 'noDupAtQos0' : 'dup');
  if (byte & 0x08 && quality === 0) cursor.blame(dup, 'dupAtQos0');
  const qos = part('QoS', String(quality), 0x06, quality === 0 ? 'noIdentifierAtQos0' : 'publishQos');
  if (quality === 3) cursor.blame(qos, 'qos3');
  else qos.note = (['atMostOnce', 'atLeastOnce', 'exactlyOnce'] as const)[quality as 0 | 1 | 2];
  part('RETAIN', String(byte & 1), 0x01, 'retain');
}

/** What follows the Fixed Header. */
const BODIES: { readonly [name in PacketName]: (cursor: PacketCursor, first: number) => void } = {
  CONNECT: connect,
  CONNACK: connack,
  PUBLISH: publish,
  PUBACK: (cursor) => acknowledgement(cursor, 'PUBACK', 'pubackReason'),
  PUBREC: (cursor) => acknowledgement(cursor, 'PUBREC', 'pubrecReason'),
  PUBREL: (cursor) => acknowledgement(cursor, 'PUBREL', 'pubrelReason'),
  PUBCOMP: (cursor) => acknowledgement(cursor, 'PUBCOMP', 'pubcompReason'),
  SUBSCRIBE: subscribe,
  SUBACK: suback,
  UNSUBSCRIBE: unsubscribe,
  UNSUBACK: unsuback,
  PINGREQ: () => {},
  PINGRESP: () => {},
  DISCONNECT: disconnect,
  AUTH: authentication,
};

/** Whose flags are 0010 (2.1.3). */
const SET_FLAGS: readonly PacketName[] = ['PUBREL', 'SUBSCRIBE', 'UNSUBSCRIBE'];

const FLAG_RULES: { readonly [name in PacketName]?: RuleName } = {
  PUBREL: 'pubrelFlags',
  SUBSCRIBE: 'subscribeFlags',
  UNSUBSCRIBE: 'unsubscribeFlags',
  DISCONNECT: 'disconnectFlags',
  AUTH: 'authFlags',
};

/** What the packet is there for. */
const PACKET_RULES: { readonly [name in PacketName]?: RuleName } = {
  CONNECT: 'connectFirst',
  CONNACK: 'connackFirst',
  PUBLISH: 'answerByQos',
  PUBACK: 'puback',
  PUBREC: 'pubrec',
  PUBREL: 'pubrel',
  PUBCOMP: 'pubcomp',
  SUBSCRIBE: 'subscribeAnswered',
  UNSUBSCRIBE: 'unsubscribeAnswered',
  PINGREQ: 'ping',
  PINGRESP: 'ping',
  DISCONNECT: 'nothingAfterDisconnect',
};
