// The Worker is killed, or deployed anew, and starts on the same disk.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { open, packet, publish, subscribe, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

/** CONNECT with a session that is kept; a will goes to the topic `will` at QoS 1. */
const connectKept = (clientId, will) =>
  packet('10', `${text('MQTT')}04${will ? '0c' : '00'}0000${text(clientId)}${will ? text('will') + text(will) : ''}`);
const SUBSCRIBE_QOS_1 = (filter) => packet('82', `0001${text(filter)}01`);

let data;
let workerd;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'mqlite-worker-data-'));
  workerd = await startSteered({ data });
});
afterEach(async () => {
  await workerd.stop();
  await rm(data, { recursive: true, force: true });
});

async function restart() {
  await workerd.stop();
  workerd = await startSteered({ data });
}

async function openKept(room, clientId, { will, present = false } = {}) {
  const client = await workerd.room(room).open();
  client.send(connectKept(clientId, will));
  await client.hears(`20020${present ? 1 : 0}00`);
  return client;
}

test('Sessions, subscriptions, what waits and what is retained are there after a restart', async () => {
  const keeper = await openKept('kept', 'keeper');
  keeper.send(SUBSCRIBE_QOS_1('a/#') + 'e000');
  await keeper.hears('9003000101');
  await keeper.closed;
  const publisher = await workerd.room('kept').connect({ clientId: 'publisher' });
  publisher.send(packet('33', `${text('a/1')}0001${'6f6e65'}`));
  await publisher.hears('40020001');
  await restart();
  const back = await openKept('kept', 'keeper', { present: true });
  assert.match(await back.packet(), /^32..0003612f31....6f6e65$/);
  const newcomer = await workerd.room('kept').connect({ clientId: 'newcomer' });
  newcomer.send(subscribe('a/+'));
  await newcomer.hears('9003000100');
  assert.equal(await newcomer.packet(), packet('31', `${text('a/1')}6f6e65`));
  await Promise.all([back.close(), newcomer.close()]);
});

test('Clients whose connections a crash has cut lose them when the room starts: their wills go out then', async () => {
  const watcher = await openKept('crashed', 'watcher');
  watcher.send(SUBSCRIBE_QOS_1('will'));
  await watcher.hears('9003000101');
  await openKept('crashed', 'mortal', { will: 'gone' });
  const clean = await workerd.room('crashed').open();
  clean.send(packet('10', `${text('MQTT')}040e0000${text('clean')}${text('will')}${text('clean')}`));
  await clean.hears('20020000');
  await restart();
  const back = await openKept('crashed', 'watcher', { present: true });
  const wills = [await back.packet(), await back.packet()].map((will) => /^32..000477696c6c....(676f6e65|636c65616e)$/.exec(will)?.[1]);
  assert.deepEqual(wills.sort(), ['636c65616e', '676f6e65']);
  await back.close();
});

test('An alarm that was due meanwhile fires: a delayed will goes out though nobody comes', async () => {
  const watcher = await openKept('delayed', 'watcher');
  watcher.send(SUBSCRIBE_QOS_1('will') + 'e000');
  await watcher.hears('9003000101');
  await watcher.closed;
  const mortal = await workerd.room('delayed').open();
  // MQTT 5, a session for a minute, a will at QoS 1 after a second
  mortal.send(packet('10', `${text('MQTT')}050c00000511${'0000003c'}${text('mortal')}${'0518'}${'00000001'}${text('will')}${text('gone')}`));
  assert.match(await mortal.packet(), /^20..0000/);
  await mortal.close();
  await workerd.room('delayed').steer('settle');
  await restart();
  const room = workerd.room('delayed');
  await room.starts();
  const back = await openKept('delayed', 'watcher', { present: true });
  assert.match(await back.packet(), /^32..000477696c6c....676f6e65$/);
  await back.close();
});

test('An object that is reset, as by a deployment, ends its WebSockets, and serves those who come back', async () => {
  const keeper = await openKept('reset', 'keeper');
  keeper.send(SUBSCRIBE_QOS_1('a'));
  await keeper.hears('9003000101');
  await workerd.room('reset').steer('abort');
  await keeper.closed;
  const back = await openKept('reset', 'keeper', { present: true });
  back.send(publish('a', 'one'));
  await back.hears(publish('a', 'one'));
  await back.close();
});

test('WebSockets of which nothing is remembered are told to come back', async () => {
  const room = workerd.room('unknown');
  const stranger = await open(`${room.url}?unknown`);
  stranger.send('c000');
  const known = await room.connect({ clientId: 'known' });
  await room.evict();
  known.send('c000');
  await known.hears('d000');
  assert.equal((await stranger.closed).code, 1012);
  await known.close();
});
