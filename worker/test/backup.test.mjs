// A backup of a room, and what becomes of a room that is put back from one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { startSteered } from './steering.mjs';

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

const connect = (room, options) => mqtt.connectAsync(room.url, { protocolVersion: 5, reconnectPeriod: 0, ...options });

const KEPT = { clean: false, properties: { sessionExpiryInterval: 3600 } };

/** Comes back to a session, and resolves with `count` messages that waited for it. */
async function waiting(room, clientId, count) {
  const heard = [];
  const client = mqtt.connect(room.url, { protocolVersion: 5, reconnectPeriod: 0, clientId, ...KEPT });
  await new Promise((resolve) => {
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`) === count && resolve());
    if (count === 0) client.once('connect', resolve);
  });
  await client.endAsync();
  return heard;
}

test('A backup has sessions with what waits, retained and delayed messages and users, and replaces what was there', async () => {
  const [from, to] = [workerd.room('from'), workerd.room('to')];
  for (const room of [from, to]) await room.time(1_000_000);
  await (await connect(from, { clientId: 'away', ...KEPT })).subscribeAsync('tide/#', { qos: 1 });
  const publisher = await connect(from);
  await (await connect(from, { clientId: 'away', ...KEPT })).endAsync();
  await publisher.publishAsync('tide/low', '06:12', { qos: 1 });
  await publisher.publishAsync('state', 'calm', { qos: 1, retain: true });
  await publisher.publishAsync('$delayed/60/tide/high', '12:20', { qos: 1 });
  await from.steer('putUser', { name: 'ada' }, JSON.stringify({ password: 'lovelace', grants: [{ filter: 'engine/#' }] }));
  const file = await from.export();
  await publisher.publishAsync('tide/after', 'the backup', { qos: 1 });
  await publisher.endAsync();

  const former = await connect(to, { clientId: 'former', ...KEPT });
  await former.publishAsync('state', 'stormy', { qos: 1, retain: true });
  const closed = new Promise((resolve) => former.once('close', resolve));
  assert.equal(await to.import(file), 0);
  await closed;

  await to.steer('sleep');
  await to.time(1_060_000);
  assert.deepEqual(await waiting(to, 'away', 2), ['tide/low 06:12', 'tide/high 12:20']);
  const client = await connect(to, { clientId: 'former', ...KEPT });
  const state = new Promise((resolve) => client.once('message', (_, payload) => resolve(`${payload}`)));
  await client.subscribeAsync('state');
  assert.equal(await state, 'calm');
  assert.equal((await to.steer('statistics')).sessions, 2);
  await client.endAsync();

  const ada = await connect(to, { username: 'ada', password: 'lovelace' });
  await ada.publishAsync('engine/1', 'x', { qos: 1 });
  await assert.rejects(ada.publishAsync('tide/1', 'x', { qos: 1 }), { code: 0x87 });
  await ada.endAsync();
  await assert.rejects(connect(to, { username: 'ada', password: 'byron' }), { code: 0x86 });
});

test('The room that was backed up goes on', async () => {
  const from = workerd.room('from');
  await from.time(1_060_000);
  assert.deepEqual(await waiting(from, 'away', 3), ['tide/low 06:12', 'tide/after the backup', 'tide/high 12:20']);
});

test('What is no whole backup is refused, and changes nothing', async () => {
  const room = workerd.room('careful');
  const client = await connect(room, { clientId: 'ada', ...KEPT });
  await client.publishAsync('state', 'calm', { qos: 1, retain: true });
  const file = await room.export();
  for (const bad of [file.slice(0, -1), new Uint8Array(10), new Uint8Array()]) await assert.rejects(room.import(bad));
  await client.publishAsync('state', 'calm', { qos: 1 });
  assert.equal((await room.steer('statistics')).retainedMessages, 1);
  await client.endAsync();
});
