// An Application Message as one client saw it. Knows neither a client nor how it is shown.

import type { QoS, ReceivedProperties } from 'mqlite/broker';

/** One message that a client received or sent. */
export interface LoggedMessage {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly direction: 'sent' | 'received';
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** At QoS 1 and 2. */
  readonly packetIdentifier: number | undefined;
  readonly properties: ReceivedProperties;
}

/** What came, now, as it is kept: with a payload of its own, since one that shares a buffer would keep all of that. */
export function received(message: Omit<LoggedMessage, 'time' | 'direction'>): LoggedMessage {
  const { topic, payload: came, qos, retain, dup, packetIdentifier, properties } = message;
  const payload = came.buffer.byteLength > came.byteLength ? came.slice() : came;
  return { time: Date.now(), direction: 'received', topic, payload, qos, retain, dup, packetIdentifier, properties };
}
