// What a room counts, in the text format of Prometheus. The names of what the broker counts agree with the `$SYS` topics.

import type { BrokerStatistics } from 'mqlite/broker';
import type { RoomStatistics } from '../calls.js';
import type { ForwardStatistics } from '../forward/forwarder.js';

/** The metrics of one room. */
export function toMetrics({ version, uptimeSeconds, authenticationFailures, forwards, broker }: RoomStatistics): string {
  const families: Family[] = [
    { name: 'info', help: 'The version.', values: [[`{version="${version}"}`, 1]] },
    { name: 'uptime_seconds', help: 'Seconds since the room woke, which is when it begins to count.', values: [['', uptimeSeconds]] },
    ...BROKER.map(([name, key, help]): Family => ({ name, help, values: [['', broker[key]]] })),
    { name: 'authentication_failures_total', help: 'Clients that were not let in for who they are.', values: [['', authenticationFailures]] },
    ...FORWARD.map(([name, key, help]): Family => ({ name, help, values: forwards.map((it) => [`{forward="${it.name}"}`, it[key]]) })),
  ];
  return families.filter(({ values }) => values.length > 0).map(toText).join('');
}

/** The type by which Prometheus knows it. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Family {
  /** One that ends with `_total` counts up. */
  readonly name: string;
  readonly help: string;
  /** Each with its labels. */
  readonly values: readonly (readonly [labels: string, value: number])[];
}

function toText({ name, help, values }: Family): string {
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  const samples = values.map(([labels, value]) => `mqlite_${name}${labels} ${value}`);
  return [`# HELP mqlite_${name} ${help}`, `# TYPE mqlite_${name} ${type}`, ...samples, ''].join('\n');
}

/** What each forward counts. Their names need no escape. */
const FORWARD: readonly (readonly [name: string, key: Exclude<keyof ForwardStatistics, 'name'>, help: string])[] = [
  ['forward_delivered_total', 'delivered', 'Messages that a forward delivered.'],
  ['forward_attempts_failed_total', 'attemptsFailed', 'Attempts of a forward that failed.'],
  ['forward_dead_lettered_total', 'deadLettered', 'Messages of a forward that went to its dead letter.'],
  ['forward_lost_total', 'lost', 'Messages that a forward gave up.'],
  ['forward_waiting', 'waiting', 'Messages that a forward has at hand now; more may wait in its session.'],
];

/** What the broker counts. */
const BROKER: readonly (readonly [name: string, key: keyof BrokerStatistics, help: string])[] = [
  ['clients_connected', 'clientsConnected', 'Clients connected now.'],
  ['clients_maximum', 'clientsMaximum', 'Most clients connected at a time.'],
  ['sessions', 'sessions', 'Sessions now, connected or not.'],
  ['subscriptions', 'subscriptions', 'Subscriptions now.'],
  ['subscription_bytes', 'subscriptionBytes', 'Bytes that the subscriptions take now, about.'],
  ['retained_messages', 'retainedMessages', 'Retained messages now.'],
  ['retained_bytes', 'retainedBytes', 'Bytes of retained messages now.'],
  ['message_bytes', 'messageBytes', 'Bytes of all messages now, each counted once.'],
  ['messages_stored', 'messagesStored', 'Messages that wait in queues or are in flight now.'],
  ['messages_delayed', 'messagesDelayed', 'Messages that are to be published later, now.'],
  ['messages_in_review', 'messagesInReview', 'Messages that wait for a review now.'],
  ['messages_received_total', 'messagesReceived', 'Messages received from clients.'],
  ['messages_sent_total', 'messagesSent', 'Messages sent to clients.'],
  ['messages_dropped_total', 'messagesDropped', 'Messages dropped for one subscriber, because of a limit.'],
  ['messages_refused_total', 'messagesRefused', 'Messages refused to their publisher.'],
  ['bytes_received_total', 'bytesReceived', 'Bytes received from clients.'],
  ['bytes_sent_total', 'bytesSent', 'Bytes sent to clients.'],
  ['connections_refused_total', 'connectionsRefused', 'Connections refused, or closed for breaking a rule.'],
];
