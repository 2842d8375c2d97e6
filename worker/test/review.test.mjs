// Rules about what clients publish, and another Worker that reviews it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { startSteered } from './steering.mjs';

/** The Worker that reviews: does what the payload says. */
const reviewer = (port) => `export default {
  async fetch(request) {
    const { payload, payloadBase64, ...message } = await request.json();
    switch (payload) {
      case 'accept': return Response.json({ type: 'accept' });
      case 'slow': await new Promise((resolve) => setTimeout(resolve, 100)); return Response.json({ type: 'accept' });
      case 'drop': return Response.json({ type: 'drop' });
      case 'refuse': return Response.json({ type: 'refuse', reason: 0x99 });
      case 'tell': return Response.json({ type: 'rewrite', topic: 'told', payload: JSON.stringify(message) });
      case 'binary': return Response.json({ type: 'rewrite', payloadBase64: '//4=' });
      case 'unpadded': return Response.json({ type: 'rewrite', payloadBase64: '//4' });
      case 'broken': return new Response(null, { status: 500 });
      case 'nonsense': return new Response('This is no JSON.');
      case 'other': return Response.json({ type: 'perhaps' });
      case 'silent': return fetch('http://127.0.0.1:${port}/');
    }
  },
};`;

/** What a reviewer waits for that says nothing. */
const silence = createServer(() => {});

const lines = [];
let workerd;
before(async () => {
  await once(silence.listen(0, '127.0.0.1'), 'listening');
  const review = { filter: 'orders/#', service: 'REVIEWER', timeoutMillis: 500 };
  const rooms = {
    ruled: {
      rules: [
        { filter: 'secret/#', action: 'refuse' },
        { filter: 'noise/#', action: 'drop' },
        { filter: 'raw/+/#', action: 'rewrite', topic: 'site/%c/$1/$2' },
      ],
    },
    'reviewed-*': { review },
    lenient: { review: { ...review, fallback: 'accept' } },
    deaf: { review: { ...review, fallback: 'drop' } },
    orphaned: { review: { ...review, service: 'NOBODY' } },
    first: { review, rules: [{ filter: 'orders/free/#', action: 'drop' }] },
  };
  workerd = await startSteered({ settings: { rooms, log: { level: 'warn' } }, peers: { REVIEWER: reviewer(silence.address().port) }, log: (line) => lines.push(line) });
});
after(async () => {
  await workerd.stop();
  silence.close();
});

const connect = (room, options) => mqtt.connectAsync(workerd.room(room).url, { protocolVersion: 5, reconnectPeriod: 0, ...options });

/** Publishes these payloads to `topic`; resolves with the Reason Codes, and what a subscriber to everything has heard. */
async function publish(room, topic, payloads, qos = 1) {
  const subscriber = await connect(room);
  const heard = [];
  const ended = new Promise((resolve) => {
    subscriber.on('message', (topic, payload) => (topic === 'end' ? resolve() : heard.push([topic, `${payload}`])));
  });
  await subscriber.subscribeAsync('#', { qos: 2 });
  const publisher = await connect(room, { clientId: 'ada' });
  const code = (payload) => publisher.publishAsync(topic, payload, { qos }).then(
    () => 0,
    (error) => error.code,
  );
  const codes = await Promise.all(payloads.map(code));
  await publisher.publishAsync('end', '', { qos: 1 });
  await ended;
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
  return { codes, heard };
}

test('A rule drops, refuses or rewrites by the topic', async () => {
  assert.deepEqual(await publish('ruled', 'secret/key', ['x']), { codes: [0x87], heard: [] });
  assert.deepEqual(await publish('ruled', 'noise/1', ['x']), { codes: [0], heard: [] });
  assert.deepEqual(await publish('ruled', 'raw/boat/deck/1', ['x']), { codes: [0], heard: [['site/ada/boat/deck/1', 'x']] });
  assert.deepEqual(await publish('ruled', 'other', ['x']), { codes: [0], heard: [['other', 'x']] });
});

for (const qos of [1, 2]) {
  test(`A Service accepts, drops, refuses and rewrites, at QoS ${qos}`, async () => {
    const { codes, heard } = await publish('reviewed-1', 'orders/1', ['accept', 'drop', 'refuse', 'binary', 'tell'], qos);
    assert.deepEqual(codes, [0, 0, 0x99, 0, 0]);
    const [, [, binary], [, told]] = heard;
    assert.deepEqual(heard.map(([topic]) => topic), ['orders/1', 'orders/1', 'told']);
    assert.equal(binary, '\ufffd\ufffd');
    assert.deepEqual(JSON.parse(told), { room: 'reviewed-1', clientId: 'ada', topic: 'orders/1', qos, retain: false });
  });
}

test('What a client publishes stays in order while a review takes its time', async () => {
  const { heard } = await publish('reviewed-2', 'orders/1', ['slow', 'accept', 'slow', 'accept']);
  assert.deepEqual(heard.map(([, payload]) => payload), ['slow', 'accept', 'slow', 'accept']);
});

test('A review that fails or takes too long is what the fallback says: refuse unless told otherwise', async () => {
  const failures = ['broken', 'nonsense', 'other', 'silent', 'unpadded'];
  assert.deepEqual(await publish('reviewed-3', 'orders/1', failures), { codes: failures.map(() => 0x83), heard: [] });
  const accepted = failures.map((payload) => ['orders/1', payload]);
  assert.deepEqual(await publish('lenient', 'orders/1', failures), { codes: failures.map(() => 0), heard: accepted });
  assert.deepEqual(await publish('deaf', 'orders/1', failures), { codes: failures.map(() => 0), heard: [] });
  assert.ok(lines.some((line) => line.includes('"reviewFailed"')));
});

test('A Service that does not answer in time is left alone, so that the room may sleep', async () => {
  const asked = once(silence, 'request');
  const published = publish('reviewed-4', 'orders/1', ['silent']);
  const [{ socket }] = await asked;
  await once(socket, 'close');
  assert.deepEqual((await published).codes, [0x83]);
});

test('Where no Service is bound nothing gets through', async () => {
  assert.deepEqual(await publish('orphaned', 'orders/1', ['accept']), { codes: [0x83], heard: [] });
});

test('Rules come before the review', async () => {
  assert.deepEqual(await publish('first', 'orders/free/1', ['refuse']), { codes: [0], heard: [] });
});
