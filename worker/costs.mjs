// Counts what a room does for a message in workerd, and writes the table of DEPLOY.md: what a million of them costs on Cloudflare.

import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'mqlite';
import mqtt from 'mqtt';
import { receive } from './test/receiver.mjs';
import { startSteered } from './test/steering.mjs';

/** Messages that each row is counted with. */
const MESSAGES = 2_000;
/** Of these not acknowledged at a time. */
const WINDOW = 50;

/** US dollars, as https://developers.cloudflare.com/durable-objects/platform/pricing/ said in 2026. */
const PRICES = {
  /** A million requests; 20 WebSocket messages that come are one, each alarm is one. */
  requests: 0.15,
  messagesOfRequest: 20,
  /** A million GB-seconds, of an object that counts as 128 MB while it does something. */
  duration: 12.5,
  memory: 0.128,
  /** A million rows; arming the alarm is one. */
  rows: 1,
};

/** What is counted: each prepares clients, and says how a message is published and when all have arrived. */
const CASES = {
  'QoS 0 to a connected subscriber': { publish: { qos: 0 }, subscribe: { qos: 0 } },
  'QoS 1 to a connected subscriber': { publish: { qos: 1 }, subscribe: { qos: 1 } },
  'The same with MQTT.js, which sends a packet in pieces': { publish: { qos: 1 }, subscribe: { qos: 1 }, client: mqttJs },
  'QoS 1, of sessions that end with their connections': { publish: { qos: 1 }, subscribe: { qos: 1 }, expiry: 0 },
  'QoS 2 to a connected subscriber': { publish: { qos: 2 }, subscribe: { qos: 2 } },
  'QoS 1 to ten connected subscribers': { publish: { qos: 1 }, subscribe: { qos: 1 }, subscribers: 10 },
  'QoS 1 to a subscriber that is away, and comes for it': { publish: { qos: 1 }, subscribe: { qos: 1 }, isAway: true },
  'QoS 0, retained, to nobody': { publish: { qos: 0, retain: true }, subscribers: 0 },
  'QoS 1, retained, to nobody': { publish: { qos: 1, retain: true }, subscribers: 0 },
  'QoS 1 to a webhook, one at a time': { publish: { qos: 1 }, subscribers: 0, forward: 1 },
  'QoS 1 to a webhook, up to 100 at a time': { publish: { qos: 1 }, subscribers: 0, forward: 100 },
};

const hook = await receive();
const forward = (batch) => [{ name: 'hook', filter: 'cost/#', webhook: hook.url, loopback: true, batch }];
const rooms = { 'forward-1-*': { forward: forward(1) }, 'forward-100-*': { forward: forward(100) } };
const workerd = await startSteered({ settings: { rooms, limits: { serverKeepAliveSeconds: 0, maximumQueuedMessages: 10 * MESSAGES } } });
try {
  const lines = [];
  for (const [name, what] of Object.entries(CASES)) {
    const counts = await count(`${what.forward ? `forward-${what.forward}-` : ''}${lines.length}`, what);
    lines.push(line(name, counts));
    console.log(lines.at(-1));
  }
  await write(lines);
} finally {
  await workerd.stop();
  await hook.stop();
}

/** What the room does for each message. */
async function count(name, { publish, subscribe, subscribers = 1, isAway = false, forward, client = ours, expiry = 3600 }) {
  const room = workerd.room(name);
  const publisher = await client(room.url, 'publisher', expiry);
  let heard = 0;
  const goal = MESSAGES * subscribers;
  const arrived = Promise.withResolvers();
  const hear = () => (heard += 1) === goal && arrived.resolve();
  const clients = await Promise.all(Array.from({ length: subscribers }, (_, number) => client(room.url, `subscriber-${number}`, expiry)));
  for (const subscriber of clients) await subscriber.subscribe('cost/#', subscribe.qos, hear);
  if (isAway) await clients[0].end();
  const before = { ...(await room.facts()), seconds: await cpuSeconds() };
  const underWay = new Set();
  for (let number = 0; number < MESSAGES; number += 1) {
    const published = publisher.publish(`cost/${number % 10}`, Buffer.alloc(100), publish).then(() => underWay.delete(published));
    underWay.add(published);
    // What is published in one turn would go as one WebSocket message, as devices seldom have it.
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (underWay.size === WINDOW) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  if (isAway) {
    clients[0] = await client(room.url, 'subscriber-0', expiry, hear);
  }
  if (goal > 0) await arrived.promise;
  if (forward) await hook.until(() => hook.taken.filter(({ id }) => id.startsWith(`${name}/`)).length === MESSAGES);
  // Acknowledgements that are still on their way belong to it.
  const rested = { ...(await rest(room)), seconds: await cpuSeconds() };
  for (const it of [publisher, ...clients]) await it.end();
  const per = (key) => (rested[key] - before[key]) / MESSAGES;
  return { messages: per('messages'), rows: per('rows') + per('armings'), alarms: per('alarms'), millis: 1_000 * per('seconds') };
}

/** A client of the package mqlite, which sends the packets of one turn as one WebSocket message. */
async function ours(url, clientId, sessionExpiryInterval, onMessage = () => {}) {
  const client = await connect(url, { clientId, cleanStart: false, properties: { sessionExpiryInterval }, onMessage });
  return {
    publish: (topic, payload, { qos, retain }) => client.publish(topic, payload, { qos, ...(retain && { retain }) }),
    subscribe: (filter, qos, hear) => client.subscribe(filter, { qos }, hear),
    end: () => client.end({ sessionExpiryInterval }),
  };
}

/** A client of MQTT.js. */
async function mqttJs(url, clientId, sessionExpiryInterval) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, clientId, clean: false, properties: { sessionExpiryInterval } });
  return {
    publish: (topic, payload, options) => client.publishAsync(topic, payload, options),
    subscribe(filter, qos, hear) {
      client.on('message', hear);
      return client.subscribeAsync(filter, { qos });
    },
    end: () => client.endAsync(),
  };
}

/** Seconds that workerd has computed, as Linux counts them. */
async function cpuSeconds() {
  const fields = (await readFile(`/proc/${workerd.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What the room has counted when nothing comes any more. */
async function rest(room) {
  for (let last = await room.facts(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await room.facts();
    if (now.messages === last.messages && now.rows === last.rows) return now;
    last = now;
  }
}

function line(name, { messages, rows, alarms, millis }) {
  const requests = messages / PRICES.messagesOfRequest + alarms;
  const dollars = [requests * PRICES.requests, (millis / 1000) * PRICES.memory * PRICES.duration, rows * PRICES.rows];
  const sum = dollars.reduce((total, part) => total + part, 0);
  const cells = [name, messages.toFixed(1), requests.toFixed(2), rows.toFixed(1), millis.toFixed(2), ...[...dollars, sum].map((part) => part.toFixed(2))];
  return `| ${cells.join(' | ')} |`;
}

async function write(lines) {
  const path = new URL('DEPLOY.md', import.meta.url);
  const [begin, end] = ['<!-- Written by `make costs`. -->\n', '<!-- End of what `make costs` writes. -->'];
  const guide = await readFile(path, 'utf8');
  const [from, to] = [guide.indexOf(begin) + begin.length, guide.indexOf(end)];
  if (from < begin.length || to < 0) throw new Error('DEPLOY.md has no place for the table.');
  const head = [
    '| A message of 100 bytes | WebSocket messages in | requests billed | rows written | CPU ms | requests, $ | duration, $ | rows, $ | **a million, $** |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  await writeFile(path, `${guide.slice(0, from)}\n${[...head, ...lines].join('\n')}\n\n${guide.slice(to)}`);
}
