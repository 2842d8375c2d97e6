// What nobody may see or touch: topics beyond its grants, and rooms beside its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectTo } from './security-client.mjs';
import { startSteered } from './steering.mjs';

const GRANTS = [
  { filter: 'devices/%c/#' },
  { filter: 'public/#', publish: false },
  { filter: 'modest/#', maximumQos: 0, retain: false },
];
const NOT_AUTHORIZED = 0x87;
const TOPIC_FILTER_INVALID = 0x8f;

/** Filters that reach beyond the grants of the client `ada`. */
const ESCAPES = [
  '#', '+/#', '+', '+/+', '+/ada/#', 'devices/#', 'devices/+', 'devices/+/#', 'devices/+/+', 'devices/bob/#', 'devices/bob',
  'devices/../devices/bob/#', 'devices//#', 'devices', '/#', '//', '//#', '/+/#', '/devices/ada/#', 'Devices/ada/#', 'devices/ADA/#',
  '$SYS/#', '$SYS/+/#', '$SYS', '$share/g/#', '$share/g/+/#', '$share/g/devices/#', '$share/g/devices/bob/#', '$share/g/$SYS/#',
  '$share/g/$share/g/#', '$queue/#', '$delayed/#', '%c/#', 'devices/%c/#', 'devices/%u/#',
  'devices/ada\u200b/#', 'devices/a\u0308da/#', 'devices/\u0430da/#', '\ufeffdevices/ada/#', 'devices/ada \u202e/#', 'PUBLIC/#',
  'modesty/#', 'publicity/#',
];
/** Filters that are none. */
const NO_FILTERS = ['devices/ada/#/x', 'devices/ada#', 'a+/b', '##', '$share/g', '$share//#', '$share/devices/ada/#/#', '$share/+/#'];

let workerd;
before(async () => {
  workerd = await startSteered({
    settings: {
      authentication: { anonymous: true, anonymousGrants: GRANTS },
      rooms: { 'all-*': { authentication: { anonymous: true, anonymousGrants: [{ filter: '#' }, { filter: '$SYS/#' }] } } },
    },
  });
});
after(() => workerd.stop());

const to = (room, clientId, options) => connectTo(workerd.port, `/mqtt/${room}`, clientId, options);

test('No filter reaches beyond the grants, however it is written', async () => {
  const ada = await to('escapes', 'ada');
  for (const filter of ESCAPES) assert.equal(await ada.subscribe(filter), NOT_AUTHORIZED, filter);
  for (const filter of NO_FILTERS) {
    const client = await to('escapes', 'clumsy');
    await assert.rejects(client.subscribe(filter), filter);
    assert.equal(client.reason, TOPIC_FILTER_INVALID, filter);
  }
  assert.equal(await ada.subscribe('devices/ada/#', 2), 2);
  assert.equal(await ada.subscribe('devices/ada/in', 1), 1);
  assert.equal(await ada.subscribe('$share/g/public/#', 1), 1);
  assert.equal(await ada.subscribe('modest/#', 2), 0, 'the QoS of the grant');
  const room = workerd.room('escapes');
  const told = ['devices/ada/in', 'public/a', 'modest/a'];
  const secret = ['devices/bob/in', 'devices', 'devices/', '/devices/ada/in', 'public2', 'publicity/a', 'a', '/', '//', '$SYS/a', '$other/a', 'modesty/a'];
  for (const topic of [...secret, ...told]) await room.steer('publish', { topic, payload: topic, qos: 1 });
  await ada.settled();
  assert.deepEqual([...new Set(ada.messages.map(({ topic }) => topic))].sort(), [...told].sort());
  assert.equal(ada.messages.find(({ topic }) => topic === 'modest/a').qos, 0);
  await ada.close();
});

test('What may not be published is refused with 0x87, or dropped and counted, and reaches nobody', async () => {
  const room = workerd.room('publishing');
  const bob = await to('publishing', 'bob');
  for (const filter of ['devices/bob/#', 'public/#', 'modest/#']) assert.ok((await bob.subscribe(filter, 1)) <= 1);
  const ada = await to('publishing', 'ada');
  for (const topic of ['devices/bob/in', 'public/a', '$SYS/a', 'a', '/devices/ada/a', 'devices/ada\u200b/a', '$share/g/a', 'devices/%c/a']) {
    assert.equal(await ada.publish(topic, 'forged'), NOT_AUTHORIZED, topic);
  }
  const { messagesRefused: before } = await room.steer('statistics');
  await ada.publish('devices/bob/in', 'forged', { qos: 0 });
  await ada.settled();
  assert.equal((await room.steer('statistics')).messagesRefused, before + 1);
  assert.notEqual(await ada.publish('modest/a', 'too much', { qos: 1 }), 0, 'above the QoS of the grant');
  await ada.publish('modest/a', 'kept', { qos: 0, retain: true });
  await ada.publish('modest/a', 'fine', { qos: 0 });
  assert.ok((await ada.publish('devices/ada/a', 'own')) < 0x80);
  await ada.settled();
  await bob.settled();
  assert.deepEqual(bob.messages.map(({ payload }) => payload), ['fine']);
  const late = await to('publishing', 'late');
  assert.equal(await late.subscribe('modest/#', 0), 0);
  await late.settled();
  assert.deepEqual(late.messages, [], 'nothing was retained');
  await Promise.all([ada, bob, late].map((client) => client.close()));
});

test('A Client Identifier with wildcards or levels gets no more than one without', async () => {
  for (const clientId of ['+', '#', '+/#', 'ada/../bob', 'ada/#', '%c', '%u', 'bob/in']) {
    const client = await to('injection', clientId).catch(({ reason }) => reason);
    if (typeof client === 'number') continue;
    for (const filter of ['devices/+/#', 'devices/#', 'devices/bob/#', '#']) {
      assert.equal(await client.subscribe(filter), NOT_AUTHORIZED, `${clientId} subscribes to ${filter}`);
    }
    assert.equal(await client.publish('devices/bob/in', 'forged'), NOT_AUTHORIZED, `${clientId} publishes`);
    await client.close();
  }
});

test('Of what is in one room nothing is in another: messages, retained ones, sessions, shares, wills and $SYS', async () => {
  const [one, other] = ['all-one', 'all-other'];
  const mine = await to(one, 'same', { expiry: 600 });
  const theirs = await to(other, 'same', { expiry: 600 });
  for (const client of [mine, theirs]) {
    for (const filter of ['#', '$share/g/shared', '$SYS/broker/clients/connected']) assert.ok((await client.subscribe(filter, 1)) <= 1);
  }
  const speaker = await to(one, 'speaker');
  assert.ok((await speaker.publish('kept', 'one', { retain: true })) < 0x80);
  for (let number = 0; number < 20; number += 1) assert.equal(await speaker.publish('shared', `${number}`), 0);
  await mine.settled();
  assert.ok(mine.messages.filter(({ topic }) => topic === 'shared').length >= 20);
  await theirs.settled();
  assert.ok(theirs.isOpen, 'the same Client Identifier in another room takes nothing over');
  assert.deepEqual(theirs.messages.filter(({ topic }) => !topic.startsWith('$SYS/')), []);
  const late = await to(other, 'late');
  assert.equal(await late.subscribe('#', 1), 1);
  await late.settled();
  assert.deepEqual(late.messages, [], 'what one room retains no other does');
  const visitor = await to(other, 'speaker');
  assert.equal(visitor.sessionPresent, false, 'nor is its session there');
  assert.ok(speaker.isOpen);
  for (const room of [one, other]) {
    const { clientsConnected } = await workerd.room(room).steer('statistics');
    assert.equal(clientsConnected, room === one ? 2 : 3);
  }
  await Promise.all([mine, theirs, speaker, late, visitor].map((client) => client.close()));
});

test('A user of one room is nobody in another, though both have one of that name', async () => {
  for (const [room, password] of [['one', 'password of one'], ['other', 'password of the other']]) {
    await workerd.room(room).steer('putUser', { name: 'ada' }, JSON.stringify({ password, grants: [{ filter: `${room}/#` }] }));
  }
  const ada = await to('one', 'a', { userName: 'ada', password: 'password of one' });
  assert.equal(await ada.subscribe('one/#'), 1);
  assert.equal(await ada.subscribe('other/#'), NOT_AUTHORIZED);
  await assert.rejects(to('other', 'a', { userName: 'ada', password: 'password of one' }), ({ reason }) => reason >= 0x80);
  await assert.rejects(to('third', 'a', { userName: 'ada', password: 'password of one' }), ({ reason }) => reason >= 0x80);
  const namesake = await to('other', 'a', { userName: 'ada', password: 'password of the other' });
  assert.equal(await namesake.subscribe('one/#'), NOT_AUTHORIZED);
  assert.ok(ada.isOpen);
  await Promise.all([ada.close(), namesake.close()]);
});
