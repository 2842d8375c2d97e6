// Messages that go to a Queue, with a consumer: in Miniflare, which is what `wrangler dev` runs, as workerd alone has no Queues.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import mqtt from 'mqtt';
import { receive } from './receiver.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** Tells `port` what comes from its Queue. */
const consumer = (port) => `export default {
  async queue({ queue, messages }) {
    const body = JSON.stringify({ queue, messages: messages.map(({ body }) => body) });
    await fetch('http://127.0.0.1:${port}/queue', { method: 'POST', body });
  },
};`;

let hook;
let miniflare;
let url;
before(async () => {
  hook = await receive(({ path }) => (path === '/hook' ? 500 : 200));
  const forward = [
    { name: 'queued', filter: 'tide/#', queue: 'TIDES', batch: 100 },
    {
      name: 'hopeless',
      filter: 'bad/#',
      webhook: hook.url,
      loopback: true,
      maximumAttempts: 2,
      minimumDelayMillis: 10,
      deadLetter: { queue: 'TIDES' },
    },
    { name: 'large', filter: 'large/#', queue: 'TIDES', deadLetter: { queue: 'TIDES' } },
  ];
  const compatibilityDate = '2026-11-01';
  const libraries = (await readdir(DIST)).filter((name) => name.endsWith('.wasm'));
  const options = {
    workers: [
      {
        name: 'mqlite',
        compatibilityDate,
        modulesRoot: DIST,
        modules: [
          { type: 'ESModule', path: `${DIST}index.js` },
          ...libraries.map((name) => ({ type: 'CompiledWasm', path: `${DIST}${name}` })),
        ],
        durableObjects: { BROKER: { className: 'MqttBroker', useSQLite: true } },
        queueProducers: { TIDES: 'tides' },
        bindings: { SETTINGS: { authentication: { anonymous: true }, log: { level: 'off' }, forward } },
      },
      {
        name: 'consumer',
        compatibilityDate,
        modules: true,
        script: consumer(hook.port),
        queueConsumers: { tides: { maxBatchSize: 100, maxBatchTimeout: 0 } },
      },
    ],
    host: '127.0.0.1',
    port: 0,
  };
  miniflare = new Miniflare(convertV4MiniflareOptions(options));
  url = (await miniflare.ready).href.replace('http:', 'ws:');
});
after(async () => {
  await miniflare?.dispose();
  await hook?.stop();
});

const queued = () => hook.requests.filter(({ path }) => path === '/queue').flatMap(({ json }) => json.messages);

test('Each message becomes one of the Queue, in order', async () => {
  const client = await mqtt.connectAsync(`${url}mqtt/harbour`, { protocolVersion: 5, reconnectPeriod: 0 });
  const payloads = Array.from({ length: 20 }, (_, number) => `${number}`);
  await Promise.all(payloads.map((payload) => client.publishAsync('tide/low', payload, { qos: 1 })));
  await hook.until(() => queued().length >= payloads.length);
  assert.deepEqual(queued().map(({ payload }) => payload), payloads);
  const [{ id, ...first }] = queued();
  assert.match(id, /^harbour\/queued\/[0-9a-f]{8}-1$/);
  assert.deepEqual(first, { room: 'harbour', forward: 'queued', topic: 'tide/low', payload: '0', qos: 1, retain: false });
  await client.endAsync();
});

test('A message whose attempts are used up goes to the Queue of the dead letter, with the reason', async () => {
  const client = await mqtt.connectAsync(`${url}mqtt/harbour`, { protocolVersion: 5, reconnectPeriod: 0 });
  await client.publishAsync('bad/one', 'x', { qos: 1 });
  await hook.until(() => queued().some(({ topic }) => topic === 'bad/one'));
  const { id, ...dead } = queued().find(({ topic }) => topic === 'bad/one');
  assert.match(id, /^harbour\/hopeless\//);
  const reason = 'The answer was 500.';
  assert.deepEqual(dead, { room: 'harbour', forward: 'hopeless', topic: 'bad/one', payload: 'x', qos: 1, retain: false, attempts: 2, reason });
  await client.endAsync();
});

test('A message that no Queue takes, nor that of the dead letter, is lost at once, and keeps none back', async () => {
  const client = await mqtt.connectAsync(`${url}mqtt/harbour`, { protocolVersion: 5, reconnectPeriod: 0 });
  await client.publishAsync('large/one', 'x'.repeat(128_000), { qos: 1 });
  await client.publishAsync('large/two', 'x', { qos: 1 });
  await hook.until(() => queued().some(({ topic }) => topic === 'large/two'));
  assert.ok(queued().every(({ topic }) => topic !== 'large/one'));
  await client.endAsync();
});
