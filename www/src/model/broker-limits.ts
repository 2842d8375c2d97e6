// The limits of the broker in this page, all said, so that what the page tells of them is what counts.

import type { BrokerLimits } from 'mqlite/broker';

/** What the broker in this page is opened with: the defaults of the package, but for `$SYS`, which comes more often. */
export const LIMITS = {
  maximumConnections: 10_000,
  connectTimeoutMillis: 10_000,
  maximumConnectSize: 128 << 10,
  maximumSessions: 20_000,
  maximumSessionExpirySeconds: 604_800,
  maximumSubscriptions: 1_000,
  maximumSubscriptionBytes: 64 << 20,
  maximumInFlight: 256,
  maximumQueuedMessages: 1_000,
  maximumQueuedBytes: 8 << 20,
  sendBuffer: 1 << 20,
  maximumPacketSize: 1 << 20,
  maximumQos: 2,
  publishMessagesPerSecond: 100_000,
  publishBytesPerSecond: 128 << 20,
  requestsPerSecond: 1_000,
  receiveMaximum: 256,
  topicAliasMaximum: 64,
  assignedTopicAliases: 64,
  maximumTopicLevels: 128,
  maximumMessageBytes: 256 << 20,
  maximumRetainedMessages: 100_000,
  maximumRetainedBytes: 64 << 20,
  maximumDelayedMessages: 10_000,
  maximumDelaySeconds: 604_800,
  sysIntervalSeconds: 5,
} as const satisfies BrokerLimits;

export type LimitName = keyof typeof LIMITS;

/** What a limit counts. */
export type LimitUnit = 'count' | 'bytes' | 'milliseconds' | 'seconds';

/** The limits by what they are about, in the order in which they are told. */
export const LIMIT_GROUPS = {
  connections: ['maximumConnections', 'connectTimeoutMillis', 'maximumConnectSize', 'requestsPerSecond', 'sendBuffer'],
  sessions: ['maximumSessions', 'maximumSessionExpirySeconds', 'maximumSubscriptions', 'maximumSubscriptionBytes', 'maximumInFlight', 'maximumQueuedMessages', 'maximumQueuedBytes'],
  messages: [
    'maximumQos', 'maximumPacketSize', 'maximumTopicLevels', 'publishMessagesPerSecond', 'publishBytesPerSecond', 'receiveMaximum', 'topicAliasMaximum',
    'assignedTopicAliases',
  ],
  kept: ['maximumMessageBytes', 'maximumRetainedMessages', 'maximumRetainedBytes', 'maximumDelayedMessages', 'maximumDelaySeconds', 'sysIntervalSeconds'],
} as const satisfies Readonly<Record<string, readonly LimitName[]>>;

export type LimitGroup = keyof typeof LIMIT_GROUPS;

export function limitUnit(name: LimitName): LimitUnit {
  if (/Bytes|Size|sendBuffer/.test(name)) return 'bytes';
  if (name.endsWith('Millis')) return 'milliseconds';
  return name.endsWith('Seconds') ? 'seconds' : 'count';
}
