// A room moves to another name, as it would to another account: its clients go with it, and nothing is lost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'mqlite';
import { receive } from './receiver.mjs';
import { packet, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

const ADMIN_TOKEN = 'the-token-of-the-administrator-of-all-rooms';

/** Messages that are not acknowledged at a time. */
const WINDOW = 10;

let hook;
let workerd;
before(async () => {
  hook = await receive();
  const forward = [{ name: 'hook', filter: 'hooked/#', webhook: hook.url, loopback: true, minimumDelayMillis: 10, maximumDelayMillis: 50, maximumAttempts: 1000 }];
  const rooms = { gone: { moved: { room: 'wss://example.org/mqtt/there', permanent: true } }, nowhere: { moved: { room: 'https://example.org' } } };
  workerd = await startSteered({ settings: { forward, rooms }, variables: { ADMIN_TOKEN } });
});
after(async () => {
  await workerd.stop();
  await hook.stop();
});

const client = (url, options) =>
  connect(url, { cleanStart: false, reconnect: { minimumDelayMillis: 10, maximumDelayMillis: 100 }, properties: { sessionExpiryInterval: 3600 }, ...options });

test('Clients follow a room that moves while they publish and subscribe: QoS 1 is not lost, QoS 2 neither lost nor doubled', async () => {
  const [here, there] = [workerd.room('here'), workerd.room('there')];
  const heard = [];
  let hear = () => {};
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => (hear = resolve));
  };
  const subscriber = await client(here.url, { clientId: 'subscriber' });
  await subscriber.subscribe('tide/#', { qos: 2 }, (message) => {
    heard.push(message.text());
    hear();
  });
  const away = await client(here.url, { clientId: 'away' });
  await away.subscribe('tide/#', { qos: 2 }, () => {});
  await away.end({ sessionExpiryInterval: 3600 });
  const publisher = await client(here.url, { clientId: 'publisher' });
  await publisher.publish('state', 'kept', { qos: 1, retain: true });

  let next = 0;
  let isOver = false;
  const acknowledged = new Set();
  const go = async (qos) => {
    while (!isOver) {
      const payload = `${qos}-${next++}`;
      await publisher.publish('tide/low', payload, { qos });
      acknowledged.add(payload);
    }
  };
  const going = Promise.all(Array.from({ length: WINDOW }, (_, index) => go(1 + (index % 2))));
  await until(() => heard.length > 100);
  const file = await here.suspend();
  assert.equal(await there.import(file), 0);
  await here.steer('move', { room: there.url, permanent: true });
  const moved = heard.length;
  await until(() => heard.length > moved + 100);
  isOver = true;
  await going;
  await until(() => acknowledged.isSubsetOf(new Set(heard)));
  const twice = heard.filter((payload) => payload.startsWith('2-')).length - new Set(heard.filter((payload) => payload.startsWith('2-'))).size;
  assert.equal(twice, 0);
  assert.equal((await here.steer('statistics')).clientsConnected, 0);

  // Who was away comes later, and hears all of it too.
  const all = new Set();
  const late = await client(here.url, { clientId: 'away', onMessage: (message) => void (all.add(message.text()), hear()) });
  assert.equal(late.sessionPresent, true);
  await until(() => acknowledged.isSubsetOf(all));
  const kept = new Promise((resolve) => late.subscribe('state', (message) => resolve(message.text())));
  assert.equal(await kept, 'kept');
  for (const it of [subscriber, publisher, late]) await it.end({ sessionExpiryInterval: 0 });
});

test('A client of 3.1.1 hears that the room is unavailable, before and after it has moved', async () => {
  const room = workerd.room('old-clients');
  await room.suspend();
  for (const order of [undefined, { room: 'wss://example.org/mqtt' }]) {
    if (order) await room.steer('move', order);
    const raw = await room.open();
    raw.send(packet('10', `${text('MQTT')}04020000${text('old')}`));
    await raw.hears('20020003');
    await raw.closed;
  }
});

test('A room that its settings have moved tells where it is, for good or for now', async () => {
  const asked = [];
  const redirect = (reference) => void asked.push(reference);
  await assert.rejects(connect(workerd.room('gone').url, { redirect, reconnect: false }), { code: 'refused', reason: 0x9d });
  await workerd.room('lent').steer('move', { room: 'ws://example.org/mqtt' });
  await assert.rejects(connect(workerd.room('lent').url, { redirect, reconnect: false }), { code: 'refused', reason: 0x9c });
  assert.deepEqual(asked, ['wss://example.org/mqtt/there', 'ws://example.org/mqtt']);
});

test('Clients that are connected hear where the room has gone', async () => {
  const room = workerd.room('leaving');
  const asked = [];
  const redirect = (reference) => void asked.push(reference);
  const ada = await connect(room.url, { redirect });
  const raw = await room.connect();
  await room.steer('move', { room: 'wss://example.org/mqtt/there', permanent: true });
  const { reason, serverReference } = await ada.ended;
  assert.deepEqual([reason, serverReference, asked], [0x9d, 'wss://example.org/mqtt/there', ['wss://example.org/mqtt/there']]);
  await raw.closed;
});

test('A room that comes back lets its clients in, after a sleep too', async () => {
  const room = workerd.room('back');
  const first = await client(room.url, { clientId: 'ada' });
  await first.end({ sessionExpiryInterval: 3600 });
  await room.suspend();
  await room.steer('sleep');
  await assert.rejects(connect(room.url, { clientId: 'ada', reconnect: false }), { reason: 0x88 });
  await room.steer('move');
  await room.steer('sleep');
  const again = await client(room.url, { clientId: 'ada' });
  assert.equal(again.sessionPresent, true);
  await again.end({ sessionExpiryInterval: 0 });
});

test('No backup is put into a room that is moving, or has moved, over HTTP', async () => {
  const room = workerd.room('put-back');
  const file = await room.export();
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/octet-stream' };
  const put = async () => {
    const response = await fetch(room.url.replace('ws:', 'http:').replace('/mqtt/', '/rooms/') + '/backup', { method: 'PUT', headers, body: file });
    return [response.status, (await response.json()).reasonCode];
  };
  assert.deepEqual(await put(), [200, undefined]);
  await room.suspend();
  assert.deepEqual(await put(), [503, 0x88]);
  await room.steer('move', { room: 'wss://example.org/mqtt/there' });
  assert.deepEqual(await put(), [503, 0x88]);
  // The Worker's own code may bring back what was there before it opens the room here again.
  await room.import(file);
  await room.steer('move');
  assert.deepEqual(await put(), [200, undefined]);
});

test('A place that is no WebSocket is refused, and settings that name one let clients in', async () => {
  await assert.rejects(workerd.room('back').steer('move', { room: 'https://example.org' }), /Internal Server Error/);
  const here = await client(workerd.room('nowhere').url);
  await here.end();
});

test('What a room forwards waits while it moves, and goes on where it has moved to', async () => {
  const [from, to] = [workerd.room('from'), workerd.room('to')];
  hook.answer = () => 503;
  const publisher = await client(from.url, { clientId: 'publisher' });
  await publisher.publish('hooked/1', 'x', { qos: 1 });
  await hook.until(() => hook.requests.length > 0);
  const file = await from.suspend();
  // What is published now would be lost.
  await assert.rejects(from.steer('publish', { topic: 'hooked/0', payload: 'x' }));
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const answer = await fetch(from.url.replace('ws:', 'http:').replace('/mqtt/', '/rooms/') + '/publish?topic=hooked/0', { method: 'POST', headers, body: 'x' });
  assert.equal(answer.status, 503);
  await to.import(file);
  await from.steer('move', { room: to.url });
  hook.answer = () => 200;
  await publisher.publish('hooked/2', 'y', { qos: 1 });
  await hook.until(() => hook.taken.length === 2);
  assert.deepEqual(hook.taken.map(({ topic, id }) => [topic, id.split('/')[0]]), [['hooked/1', 'to'], ['hooked/2', 'to']]);
  await publisher.end({ sessionExpiryInterval: 0 });
});
