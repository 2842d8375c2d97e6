// Scenarios of the client beside MQTT.js, within a Node process: bytes in to the handler called, `publish` to bytes out. Both are given
// the same stream, at whose other end nothing is but a few lines that answer. Each measurement is a process of its own.

import { readFileSync } from 'node:fs';
import { answerProcess, askProcess } from './processes.mjs';
import { directions } from './within/client-loop.mjs';
import * as clients from './within/clients.mjs';

export const title = 'The client';

/** The version of the one that ours is measured beside. */
export function about() {
  const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
  return `MQTT.js ${devDependencies.mqtt}`;
}

/** The names of their functions. */
const CONTESTANTS = { mqlite: 'mqlite', 'MQTT.js': 'mqttJs', 'mqlite without a stream': 'mqliteAlone' };

const TEXTS = {
  in: 'the client under Node, bytes in to handler called',
  out: 'the client under Node, `publish` to bytes out',
};

export const scenarios = Object.keys(TEXTS).flatMap((direction) => [
  ...[0, 1].flatMap((qos) => [16, 256].map((bytes) => scenario({ direction, qos, bytes, chunk: 64 }))),
  ...[0, 1].map((qos) => scenario({ direction, qos, bytes: 16, chunk: 1 })),
]);

function scenario(load) {
  const { direction, qos, bytes, chunk } = load;
  const measure = (client) => ({ quick }) => askProcess(import.meta.url, { ...load, client, seconds: quick ? 0.3 : 0.8 });
  return {
    name: `${direction}_qos${qos}_p${bytes}_by_${chunk}`,
    text: `${TEXTS[direction]}, QoS ${qos}, ${bytes} bytes`,
    summary: bytes === 16 && chunk === 64,
    contestants: Object.fromEntries(Object.entries(CONTESTANTS).map(([name, client]) => [name, measure(client)])),
    goals: [{ against: 'MQTT.js', ratio: 3 }],
  };
}

await answerProcess(import.meta.url, async ({ client, direction, ...task }) => {
  const connect = await clients[client]();
  const before = process.cpuUsage();
  const { rate, messages } = await directions[direction](connect, task);
  const { user, system } = process.cpuUsage(before);
  return { rate, cpuMicros: (user + system) / messages };
});
