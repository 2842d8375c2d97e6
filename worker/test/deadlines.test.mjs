// What happens at its time while the room sleeps, by a clock of the tests' own. What no alarm is for wakes nobody.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { packet, publish, subscribe, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

const SUBACK = '9003000100';
const PINGREQ = 'c000';
const PINGRESP = 'd000';
const CLIENTS = 100;
const MINUTE = 60_000;
/** Milliseconds in which a client must say CONNECT. */
const CONNECT_TIMEOUT = 10_000;

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

/** When a room's clock begins. */
const BEGIN = 1_000_000_000;

let rooms = 0;
async function freshRoom() {
  const room = workerd.room(`room-${(rooms += 1)}`);
  await room.time(BEGIN);
  return room;
}

/** CONNECT of MQTT 5 with a session for `expiry` seconds, and a will, if any, for the topic `will`, delayed by `delay` seconds. */
function connect5(clientId, { keepAlive = 0, expiry = 0, delay } = {}) {
  const will = delay === undefined ? '' : `0518${seconds(delay)}${text('will')}${text(clientId)}`;
  const flags = delay === undefined ? '00' : '04';
  return packet('10', `${text('MQTT')}05${flags}${keepAlive.toString(16).padStart(4, '0')}0511${seconds(expiry)}${text(clientId)}${will}`);
}

const seconds = (value) => value.toString(16).padStart(8, '0');

async function open5(room, clientId, options) {
  const client = await room.open();
  client.send(connect5(clientId, options));
  return [client, await client.packet()];
}

async function watcherOf(room, filter) {
  const watcher = await room.connect({ clientId: 'watcher' });
  watcher.send(subscribe(filter));
  await watcher.hears(SUBACK);
  return watcher;
}

const kinds = async (room) => {
  const rows = await room.steer('query', { sql: 'SELECT substr(hex(key), 1, 2) AS kind FROM records ORDER BY 1' });
  return rows.map(({ kind }) => String.fromCharCode(Number.parseInt(kind, 16))).join('');
};

/** Leaves a session behind that subscribes to `a` at QoS 1 and lasts for `expiry` seconds. */
async function leaveBehind(room, clientId, expiry) {
  const [client] = await open5(room, clientId, { expiry });
  client.send(packet('82', `000100${text('a')}01`));
  await client.hears('900400010001');
  client.send('e000');
  await client.closed;
}

test('A delayed will goes out at its time', async () => {
  const room = await freshRoom();
  const watcher = await watcherOf(room, 'will');
  const [mortal] = await open5(room, 'mortal', { expiry: 3600, delay: 30 });
  await mortal.close();
  await room.evict();
  await room.time(BEGIN + 29_999);
  assert.equal((await room.facts()).alarms, 0);
  await room.time(BEGIN + 30_000);
  await watcher.hears(publish('will', 'mortal'));
  assert.equal((await room.facts()).alarms, 1);
  await watcher.close();
});

test('A session ends at its time, with all that waited for it, and then nothing is armed', async () => {
  const room = await freshRoom();
  await leaveBehind(room, 'leaver', 100);
  await room.steer('publish', { topic: 'a', payload: 'waits', qos: 1 });
  await room.evict();
  await room.time(BEGIN + 99_999);
  assert.equal(await kinds(room), 'fmqs');
  await room.evict();
  await room.time(BEGIN + 100_000);
  assert.equal(await kinds(room), '');
  assert.equal((await room.facts()).alarmAt, undefined);
});

test('A retained message ends at its time, and one that waits is not delivered after its own', async () => {
  const room = await freshRoom();
  await leaveBehind(room, 'leaver', 3600);
  const [publisher] = await open5(room, 'publisher');
  publisher.send(packet('33', `${text('a')}0001${'0502'}${seconds(50)}${'6f6e65'}`));
  assert.match(await publisher.packet(), /^40..0001/);
  assert.equal(await kinds(room), 'fmqrs');
  await publisher.close();
  await room.evict();
  await room.time(BEGIN + 49_999);
  assert.equal(await kinds(room), 'fmqrs');
  await room.evict();
  await room.time(BEGIN + 50_000);
  assert.ok(!(await kinds(room)).includes('r'));
  await room.evict();
  const [back, connack] = await open5(room, 'leaver', { expiry: 3600 });
  assert.match(connack, /^20..0100/);
  back.send(PINGREQ);
  await back.hears(PINGRESP);
  assert.equal(await kinds(room), 'fs');
  await back.close();
});

test('A 3.1.1 client that falls silent is closed, and its will goes out, although the room sleeps', async () => {
  const room = await freshRoom();
  const watcher = await watcherOf(room, 'will');
  const silent = await room.connect({ clientId: 'silent', keepAlive: 60, will: 'gone' });
  await room.evict();
  await room.time(BEGIN + 89_999);
  await room.evict();
  await room.time(BEGIN + 90_000);
  await silent.closed;
  await watcher.hears(publish('will', 'gone'));
  await room.evict();
  assert.equal((await room.facts()).alarmAt, undefined);
  await watcher.close();
});

test('Idle MQTT 5 clients wake nobody', async () => {
  const room = await freshRoom();
  const clients = [];
  for (let number = 0; number < CLIENTS; number += 1) {
    const [client, connack] = await open5(room, `idle-${number}`, { keepAlive: 60, expiry: 3600 });
    assert.match(connack, /130000/, 'Server Keep Alive is 0');
    clients.push(client);
  }
  await room.evict();
  const before = await room.facts();
  assert.equal(before.alarmAt, undefined);
  await room.time(BEGIN + 5 * MINUTE);
  const { started, alarms } = await room.facts();
  console.log(`${CLIENTS} idle MQTT 5 clients, 5 minutes asleep: ${started - before.started} wake-ups, ${alarms - before.alarms} alarms`);
  assert.deepEqual([started, alarms], [before.started, before.alarms]);
  await room.steer('publish', { topic: 'a', payload: 'a' });
  for (const client of clients) client.send(PINGREQ);
  for (const client of clients) await client.hears(PINGRESP);
  await Promise.all(clients.map((client) => client.close()));
});

test('Idle 3.1.1 clients wake the room when they ping, and no alarm does', async () => {
  const room = await freshRoom();
  const clients = [];
  for (let number = 0; number < CLIENTS; number += 1) {
    clients.push(await room.connect({ clientId: `idle-${number}`, keepAlive: 60 }));
  }
  await room.evict();
  const before = await room.facts();
  for (let minute = 1; minute <= 5; minute += 1) {
    await room.time(BEGIN + minute * MINUTE);
    for (const client of clients) client.send(PINGREQ);
    for (const client of clients) await client.hears(PINGRESP);
    await room.evict();
  }
  const { started, alarms, messages } = await room.facts();
  console.log(
    `${CLIENTS} idle 3.1.1 clients that ping together each minute, 5 minutes: ${started - before.started} wake-ups, ` +
      `${alarms - before.alarms} alarms, ${messages - before.messages} pings`,
  );
  assert.deepEqual([started - before.started, alarms], [5, 0]);
  // none pings any more: all are closed, by one alarm for all of them and what that arms
  await room.time(BEGIN + 8 * MINUTE);
  await Promise.all(clients.map(({ closed }) => closed));
});

test('3.1.1 clients that ping each at its own time wake the room once for each ping, and no alarm does', async () => {
  const room = await freshRoom();
  const clients = [];
  for (let number = 0; number < 20; number += 1) {
    await room.time(BEGIN + number * 3000);
    clients.push(await room.connect({ clientId: `idle-${number}`, keepAlive: 60 }));
  }
  await room.evict();
  const before = await room.facts();
  for (let minute = 1; minute <= 5; minute += 1) {
    for (const [number, client] of clients.entries()) {
      await room.time(BEGIN + minute * MINUTE + number * 3000);
      client.send(PINGREQ);
      await client.hears(PINGRESP);
      await room.evict();
    }
  }
  const { started, alarms, messages } = await room.facts();
  console.log(
    `20 idle 3.1.1 clients that ping one by one, 5 minutes: ${started - before.started} wake-ups, ` +
      `${alarms - before.alarms} alarms, ${messages - before.messages} pings`,
  );
  assert.deepEqual([started - before.started, alarms], [100, 0]);
  await Promise.all(clients.map((client) => client.close()));
});

test('A client that says CONNECT at once arms no alarm, and for one that says nothing there is one', async () => {
  const room = workerd.room('hasty');
  const before = await room.facts();
  for (let number = 0; number < 10; number += 1) {
    const [client] = await open5(room, `hasty-${number}`);
    client.send('e000');
    await client.closed;
  }
  assert.equal((await room.facts()).armings - before.armings, 0);
  const silent = workerd.room('silent');
  await silent.time(BEGIN);
  const client = await silent.open();
  while ((await silent.facts()).alarmAt === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await silent.facts()).alarmAt, BEGIN + CONNECT_TIMEOUT);
  await client.close();
});

test('A busy connection whose Keep Alive moves on arms no alarm for each packet', async () => {
  const room = await freshRoom();
  const client = await room.connect({ clientId: 'busy', keepAlive: 60 });
  await room.steer('settle');
  const before = await room.facts();
  for (let second = 1; second <= 120; second += 1) {
    await room.time(BEGIN + second * 1000);
    client.send(PINGREQ);
    await client.hears(PINGRESP);
  }
  const { armings, started } = await room.facts();
  console.log(`A packet each second for two minutes: armed ${armings - before.armings} times`);
  assert.equal(started, 1);
  assert.ok(armings - before.armings <= 8, String(armings - before.armings));
  await client.close();
});
