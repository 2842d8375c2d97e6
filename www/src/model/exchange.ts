// Which packets belong together: a message and its acknowledgements, a request and its answer. Knows nothing of how they are shown.

import { packetIdentifierOf } from './packet-summary.ts';
import type { WireEntry, WireLog, WirePacket } from './wire-log.ts';

/**
 * The numbers of the packets of one delivery or subscription of which this is one, over all connections of its client.
 * Looks at a few thousand entries to either side.
 */
export function exchangeOf(packet: WirePacket, log: WireLog): Set<number> {
  const found = new Set<number>([packet.number]);
  const key = keyOf(packet);
  if (key === undefined) return found;
  const isOfIt = (entry: WireEntry | undefined): entry is WirePacket =>
    entry?.kind === 'packet' && entry.party === packet.party && keyOf(entry) === key;
  for (let number = packet.number - 1; number >= Math.max(log.first, packet.number - REACH); number -= 1) {
    const entry = log.numbered(number);
    if (!isOfIt(entry)) continue;
    if (isEnd(entry)) break; // of the exchange that had this identifier before
    found.add(number);
  }
  if (isEnd(packet)) return found;
  for (let number = packet.number + 1; number < Math.min(log.next, packet.number + REACH); number += 1) {
    const entry = log.numbered(number);
    if (!isOfIt(entry)) continue;
    found.add(number);
    if (isEnd(entry)) break;
  }
  return found;
}

/** Its Packet Identifier, below 0 if the server gave it: each side gives its own. */
function keyOf({ bytes, direction }: WirePacket): number | undefined {
  const identifier = packetIdentifierOf(bytes);
  if (identifier === undefined) return undefined;
  const isOfClient = (direction === 'sent') !== ANSWERS.includes(bytes[0]! >> 4);
  return isOfClient ? identifier : -identifier;
}

/** Whether the identifier is free again, as far as both sides know. */
function isEnd({ bytes, fate }: WirePacket): boolean {
  const type = bytes[0]! >> 4;
  return ENDS.includes(type) && fate?.kind !== 'dropped' && fate?.kind !== 'cut';
}

/** PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK, by their types. */
const ANSWERS: readonly number[] = [4, 5, 7, 9, 11];

/** All of these but PUBREC. */
const ENDS: readonly number[] = [4, 7, 9, 11];

const REACH = 2_000;
