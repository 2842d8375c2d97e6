// The standard's numbers and what it calls them: packet types, properties, Reason Codes. Knows nothing of bytes.

/** MQTT 3.1.1 or 5.0, by its Protocol Version on the wire. */
export type WireVersion = 4 | 5;

export type PacketName = (typeof PACKET_NAMES)[number];

/** By their type, from 1. */
export const PACKET_NAMES = [
  'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP',
  'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH',
] as const;

/** The name of a packet by its first byte; `undefined` where the standard has none. */
export function packetName(first: number): PacketName | undefined {
  return PACKET_NAMES[(first >> 4) - 1];
}

/** How the value of a property is written (2.2.2.2). */
export type PropertyType = 'boolean' | 'quality' | 'short' | 'nonZeroShort' | 'long' | 'nonZeroLong' | 'identifier' | 'text' | 'topic' | 'bytes' | 'secret' | 'pair';

/** Where properties stand: in a packet, or in the will of a CONNECT. */
export type PropertyPlace = PacketName | 'Will';

export interface PropertyKind {
  readonly name: string;
  readonly type: PropertyType;
  /** Its value counts seconds, or bytes. */
  readonly unit?: 's' | 'bytes';
  readonly places: readonly PropertyPlace[];
}

const ACKNOWLEDGEMENTS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK'] as const;
const MESSAGES = ['PUBLISH', 'Will'] as const;

/** The properties by identifier (2.2.2.2). */
export const PROPERTIES: { readonly [identifier: number]: PropertyKind } = {
  0x01: { name: 'Payload Format Indicator', type: 'boolean', places: MESSAGES },
  0x02: { name: 'Message Expiry Interval', type: 'long', unit: 's', places: MESSAGES },
  0x03: { name: 'Content Type', type: 'text', places: MESSAGES },
  0x08: { name: 'Response Topic', type: 'topic', places: MESSAGES },
  0x09: { name: 'Correlation Data', type: 'bytes', places: MESSAGES },
  0x0b: { name: 'Subscription Identifier', type: 'identifier', places: ['PUBLISH', 'SUBSCRIBE'] },
  0x11: { name: 'Session Expiry Interval', type: 'long', unit: 's', places: ['CONNECT', 'CONNACK', 'DISCONNECT'] },
  0x12: { name: 'Assigned Client Identifier', type: 'text', places: ['CONNACK'] },
  0x13: { name: 'Server Keep Alive', type: 'short', unit: 's', places: ['CONNACK'] },
  0x15: { name: 'Authentication Method', type: 'text', places: ['CONNECT', 'CONNACK', 'AUTH'] },
  0x16: { name: 'Authentication Data', type: 'secret', places: ['CONNECT', 'CONNACK', 'AUTH'] },
  0x17: { name: 'Request Problem Information', type: 'boolean', places: ['CONNECT'] },
  0x18: { name: 'Will Delay Interval', type: 'long', unit: 's', places: ['Will'] },
  0x19: { name: 'Request Response Information', type: 'boolean', places: ['CONNECT'] },
  0x1a: { name: 'Response Information', type: 'text', places: ['CONNACK'] },
  0x1c: { name: 'Server Reference', type: 'text', places: ['CONNACK', 'DISCONNECT'] },
  0x1f: { name: 'Reason String', type: 'text', places: ['CONNACK', ...ACKNOWLEDGEMENTS, 'DISCONNECT', 'AUTH'] },
  0x21: { name: 'Receive Maximum', type: 'nonZeroShort', places: ['CONNECT', 'CONNACK'] },
  0x22: { name: 'Topic Alias Maximum', type: 'short', places: ['CONNECT', 'CONNACK'] },
  0x23: { name: 'Topic Alias', type: 'nonZeroShort', places: ['PUBLISH'] },
  0x24: { name: 'Maximum QoS', type: 'quality', places: ['CONNACK'] },
  0x25: { name: 'Retain Available', type: 'boolean', places: ['CONNACK'] },
  0x26: { name: 'User Property', type: 'pair', places: ['CONNECT', 'CONNACK', ...MESSAGES, 'SUBSCRIBE', 'UNSUBSCRIBE', ...ACKNOWLEDGEMENTS, 'DISCONNECT', 'AUTH'] },
  0x27: { name: 'Maximum Packet Size', type: 'nonZeroLong', unit: 'bytes', places: ['CONNECT', 'CONNACK'] },
  0x28: { name: 'Wildcard Subscription Available', type: 'boolean', places: ['CONNACK'] },
  0x29: { name: 'Subscription Identifiers Available', type: 'boolean', places: ['CONNACK'] },
  0x2a: { name: 'Shared Subscription Available', type: 'boolean', places: ['CONNACK'] },
};

/** What a Reason Code is called in this packet; `undefined` where the standard has no such code. */
export function reasonName(code: number, packet: PacketName): string | undefined {
  if (code === 0 && packet === 'DISCONNECT') return 'Normal disconnection';
  if (code === 0 && packet === 'SUBACK') return 'Granted QoS 0';
  return REASONS[code];
}

/** Whether this packet may carry the Reason Code. */
export function isReasonOf(code: number, packet: PacketName): boolean {
  return REASONS_OF[packet]?.includes(code) ?? false;
}

/** The CONNACK return codes of MQTT 3.1.1 (3.2.2.3). */
export const RETURN_CODES: readonly string[] = [
  'Connection Accepted',
  'unacceptable protocol version',
  'identifier rejected',
  'Server unavailable',
  'bad user name or password',
  'not authorized',
];

/** The Reason Codes (2.4). */
const REASONS: { readonly [code: number]: string } = {
  0x00: 'Success',
  0x01: 'Granted QoS 1',
  0x02: 'Granted QoS 2',
  0x04: 'Disconnect with Will Message',
  0x10: 'No matching subscribers',
  0x11: 'No subscription existed',
  0x18: 'Continue authentication',
  0x19: 'Re-authenticate',
  0x80: 'Unspecified error',
  0x81: 'Malformed Packet',
  0x82: 'Protocol Error',
  0x83: 'Implementation specific error',
  0x84: 'Unsupported Protocol Version',
  0x85: 'Client Identifier not valid',
  0x86: 'Bad User Name or Password',
  0x87: 'Not authorized',
  0x88: 'Server unavailable',
  0x89: 'Server busy',
  0x8a: 'Banned',
  0x8b: 'Server shutting down',
  0x8c: 'Bad authentication method',
  0x8d: 'Keep Alive timeout',
  0x8e: 'Session taken over',
  0x8f: 'Topic Filter invalid',
  0x90: 'Topic Name invalid',
  0x91: 'Packet Identifier in use',
  0x92: 'Packet Identifier not found',
  0x93: 'Receive Maximum exceeded',
  0x94: 'Topic Alias invalid',
  0x95: 'Packet too large',
  0x96: 'Message rate too high',
  0x97: 'Quota exceeded',
  0x98: 'Administrative action',
  0x99: 'Payload format invalid',
  0x9a: 'Retain not supported',
  0x9b: 'QoS not supported',
  0x9c: 'Use another server',
  0x9d: 'Server moved',
  0x9e: 'Shared Subscriptions not supported',
  0x9f: 'Connection rate exceeded',
  0xa0: 'Maximum connect time',
  0xa1: 'Subscription Identifiers not supported',
  0xa2: 'Wildcard Subscriptions not supported',
};

const RECEIVED = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASED = [0x00, 0x92];

/** Which packet carries which (the tables of 3.2.2.2, 3.4.2.1 and so on). */
const REASONS_OF: { readonly [packet in PacketName]?: readonly number[] } = {
  CONNACK: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d,
    0x9f,
  ],
  PUBACK: RECEIVED,
  PUBREC: RECEIVED,
  PUBREL: RELEASED,
  PUBCOMP: RELEASED,
  SUBACK: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  UNSUBACK: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  DISCONNECT: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  AUTH: [0x00, 0x18, 0x19],
};
