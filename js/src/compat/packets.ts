// Packets as MQTT.js shows them: objects with what was said in them, and with members that have no meaning there.

import type { Client } from '../client.js';
import { fromServerProperties } from './properties.js';
import type { IConnackPacket, Packet } from './types.js';

/** A packet that came from the server. */
export function answer<P extends Packet>(cmd: P['cmd'], members: Omit<P, 'cmd'>): P {
  return { ...MEANINGLESS, ...members, cmd } as unknown as P;
}

/** What the server said when it accepted the connection. */
export function connackPacket({ server, sessionPresent }: Client, version: 4 | 5): IConnackPacket {
  const properties = fromServerProperties(server);
  return answer<IConnackPacket>('connack', {
    sessionPresent,
    ...(version === 4 ? { returnCode: 0 } : { reasonCode: 0 }),
    ...(properties && { properties }),
  });
}

/** MQTT.js has these in every packet that came. */
const MEANINGLESS = { retain: false, qos: 0, dup: false, topic: null, payload: null };
