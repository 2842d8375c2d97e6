// The messages that a broker keeps: found, deleted, and put back. Knows nothing of how that is shown.

import type { Client, QoS } from 'mqlite/broker';
import { library } from './library.ts';
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
 * Asks the broker what it keeps, by the only subscription of a client that is there for that. Nothing marks the end of its
 * answer: it is over when nothing came for a while, at the latest after `longest` milliseconds.
 * @throws MqttError as `subscribe` does.
 */
export async function findRetained(client: Client, filter: string, longest = LONGEST): Promise<RetainedMessages> {
  const found = new Map<string, LoggedMessage>();
  const begin = performance.now();
  let isWhole = true;
  let heardAt = begin;
  await client.subscribe(filter, { qos: 2, timeout: longest }, (message) => {
    const { topic, payload, retain } = message;
    if (!retain || payload.byteLength === 0) return; // it is published now
    heardAt = performance.now();
    if (found.size >= MOST && !found.has(topic)) isWhole = false;
    else found.set(topic, received(message));
  });
  heardAt = performance.now();
  while (performance.now() - heardAt < QUIET) {
    if (client.status !== 'connected') throw new (await library()).MqttError('interrupted', 'The connection ended before the answer did.');
    if (performance.now() - begin > longest) {
      isWhole = false;
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, QUIET / 4));
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
/** Milliseconds after which it is enough. */
const LONGEST = 60_000;
/** Requests that are under way at a time. */
const AT_ONCE = 50;
