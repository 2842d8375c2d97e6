// Which packets are meant.

import { checked, type ShapeOf } from '../check.js';
import { MqttError } from '../error.js';
import { PACKET_TYPES, type PacketType } from '../packets.js';

/** A packet that went over a connection of a test broker. */
export interface TracedPacket {
  /** Milliseconds since the test broker was opened. */
  readonly at: number;
  /** Of the client; empty until it is known. */
  readonly clientId: string;
  /** The connection's number, from 1. */
  readonly connection: number;
  /** As the client sees it. */
  readonly direction: 'sent' | 'received';
  readonly type: PacketType;
  /** One line that describes it. Passwords and Authentication Data are not in it, only how long they are. */
  readonly text: string;
  /** The packet as it is on the wire. */
  readonly bytes: Uint8Array;
  /** Of a PUBLISH, also where a Topic Alias stands for it. */
  readonly topic: string | undefined;
  /** The Packet Identifier. */
  readonly identifier: number | undefined;
  /** What a fault did to it. */
  readonly fate: string | undefined;
}

/** The packets that are meant: those to which all of this applies. */
export interface PacketFilter {
  clientId?: string;
  /** As the client sees it. Default both. */
  direction?: 'sent' | 'received';
  type?: PacketType | readonly PacketType[];
  /** Of a PUBLISH, as it is: no wildcards. */
  topic?: string;
  /** What `text` has in it. */
  text?: string | RegExp;
}

/** Packets of a type, those that a filter describes, or those for which a function says so. */
export type PacketChoice = PacketType | PacketFilter | ((packet: TracedPacket) => boolean);

/**
 * Whether a packet is meant.
 * @throws MqttError `invalid-options`.
 */
export function toPredicate(choice: PacketChoice): (packet: TracedPacket) => boolean {
  if (typeof choice === 'function') return choice;
  const filter = typeof choice === 'string' ? { type: choice } : checked(choice, FILTER);
  const { clientId, direction, type, topic, text } = filter;
  const types = type === undefined ? undefined : [type].flat();
  for (const each of types ?? []) {
    if (!PACKET_TYPES.includes(each)) {
      throw new MqttError('invalid-options', `There is no packet type ${JSON.stringify(each)}.`, { hint: `There are ${PACKET_TYPES.join(', ')}.` });
    }
  }
  mustBeDirection(direction);
  if (text !== undefined && typeof text !== 'string' && !(text instanceof RegExp)) {
    throw new MqttError('invalid-options', 'text must be a string or a regular expression.');
  }
  return (packet) =>
    (clientId === undefined || packet.clientId === clientId) &&
    (direction === undefined || packet.direction === direction) &&
    (types === undefined || types.includes(packet.type)) &&
    (topic === undefined || packet.topic === topic) &&
    (text === undefined || (typeof text === 'string' ? packet.text.includes(text) : packet.text.search(text) >= 0));
}

/**
 * @throws MqttError `invalid-options`.
 */
export function mustBeDirection(direction: TracedPacket['direction'] | undefined): void {
  if (direction === undefined || direction === 'sent' || direction === 'received') return;
  throw new MqttError('invalid-options', 'direction must be "sent" or "received", as the client sees it.');
}

const FILTER: ShapeOf<PacketFilter> = { clientId: 'text', direction: 'text', type: 'any', topic: 'text', text: 'any' };
