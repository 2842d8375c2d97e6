// The messages that a broker keeps: found, deleted, and put back. Knows nothing of how that is shown.

import type { Client, QoS } from 'mqlite/broker';
import { type LoggedMessage, received } from './message.ts';

/** What the broker keeps of some topics. */
export interface RetainedMessages {
  readonly messages: readonly LoggedMessage[];
  /** Whether these are all: not, where there are more than `MOST`. */
  readonly isWhole: boolean;
}

/** What publishes; whether the server took it. */
export type Publish = (publication: {
  topic: string;
  payload: Uint8Array<ArrayBuffer>;
  qos: QoS;
  retain: true;
  properties?: LoggedMessage['properties'];
}) => Promise<boolean>;

/** What became of each topic. */
export interface Outcome {
  readonly done: readonly LoggedMessage[];
  readonly refused: readonly LoggedMessage[];
}

/**
 * Asks the broker what it keeps, by a subscription for a moment. Nothing marks the end of its answer: it is over when nothing
 * came for a while.
 * @param subscribed The subscription to this very filter that the client has: it stays.
 * @throws MqttError as `subscribe` does.
 */
export async function findRetained(client: Client, filter: string, subscribed?: { qos: QoS }): Promise<RetainedMessages> {
  const found = new Map<string, LoggedMessage>();
  let isWhole = true;
  let heardAt = performance.now();
  const stop = client.on('message', (message) => {
    const { topic, payload, retain } = message;
    if (!retain || payload.byteLength === 0) return;
    heardAt = performance.now();
    if (found.size >= MOST && !found.has(topic)) isWhole = false;
    else found.set(topic, received(message));
  });
  try {
    await client.subscribe(filter, { qos: subscribed?.qos ?? 2 }, () => {});
    heardAt = performance.now();
    while (performance.now() - heardAt < QUIET) await new Promise((resolve) => setTimeout(resolve, QUIET / 4));
    if (!subscribed) await client.unsubscribe(filter);
  } finally {
    stop();
  }
  const messages = [...found.values()].sort((one, other) => (one.topic < other.topic ? -1 : 1));
  return { messages, isWhole };
}

/** Deletes what the broker keeps of these topics, by an empty retained message to each [MQTT-3.3.1-6]. */
export function deleteRetained(publish: Publish, messages: readonly LoggedMessage[], qos: QoS): Promise<Outcome> {
  return each(messages, ({ topic }) => publish({ topic, payload: new Uint8Array(), qos, retain: true }));
}

/** Publishes deleted messages again, with what is left of their time. One whose time is over stays away. */
export function putBack(publish: Publish, messages: readonly LoggedMessage[], now = Date.now()): Promise<Outcome> {
  return each(messages, (message) => {
    const { topic, payload, qos, time } = message;
    const { subscriptionIdentifiers: _, messageExpiryInterval, ...properties } = message.properties;
    const left = messageExpiryInterval === undefined ? undefined : messageExpiryInterval - Math.floor((now - time) / 1000);
    if (left !== undefined && left <= 0) return Promise.resolve(false);
    const said = { ...properties, ...(left !== undefined && { messageExpiryInterval: left }) };
    return publish({
      topic,
      payload: payload as Uint8Array<ArrayBuffer>,
      qos,
      retain: true,
      ...(Object.keys(said).length > 0 && { properties: said }),
    });
  });
}

async function each(messages: readonly LoggedMessage[], act: (message: LoggedMessage) => Promise<boolean>): Promise<Outcome> {
  const done: LoggedMessage[] = [];
  const refused: LoggedMessage[] = [];
  for (let at = 0; at < messages.length; at += AT_ONCE) {
    const part = messages.slice(at, at + AT_ONCE);
    const results = await Promise.all(part.map(act));
    for (const [index, message] of part.entries()) (results[index] ? done : refused).push(message);
  }
  return { done, refused };
}

/** Messages that are looked at. */
const MOST = 100_000;
/** Milliseconds without a message after which a broker has said all. */
const QUIET = 400;
/** Requests that are under way at a time. */
const AT_ONCE = 50;
