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

/** About the bytes that a message takes beyond what every one does. What comes from a peer counts, whichever part of it is large. */
export function weight({ topic, payload, properties }: LoggedMessage): number {
  const { contentType = '', responseTopic = '', correlationData, subscriptionIdentifiers = [], userProperties = [] } = properties;
  let texts = topic.length + contentType.length + responseTopic.length;
  for (const [name, value] of userProperties) texts += name.length + value.length + PAIR;
  return payload.byteLength + 2 * texts + (correlationData?.byteLength ?? 0) + 8 * subscriptionIdentifiers.length;
}

/** Characters' worth of a User Property, however short. */
const PAIR = 32;

/** What came, now, as it is kept: with a payload of its own, since one that shares a buffer would keep all of that. */
export function received(message: Omit<LoggedMessage, 'time' | 'direction'>): LoggedMessage {
  const { topic, payload: came, qos, retain, dup, packetIdentifier, properties } = message;
  const payload = came.buffer.byteLength > came.byteLength ? came.slice() : came;
  return { time: Date.now(), direction: 'received', topic, payload, qos, retain, dup, packetIdentifier, properties };
}
