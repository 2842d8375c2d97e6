// What a room writes, what it may weigh, and what becomes of it when that fails.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { packet, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

/** What the platform says of a row: 2 MB. */
const LARGEST_ROW = 2_000_000;
const WAITING = 50;
/** Of the core: bytes that are remembered of one connection. */
const MAXIMUM_STATE = 16_000;

const log = [];
let workerd;
before(async () => {
  const limits = { maximumPacketSize: 16 << 20, maximumQueuedMessages: WAITING, sysIntervalSeconds: 1 };
  workerd = await startSteered({ settings: { limits, authentication: { anonymous: true, anonymousGrants: [{ filter: '#' }, { filter: '$SYS/#' }] } }, log: (line) => log.push(line) });
});
after(() => workerd.stop());

const connect5 = (clientId) => packet('10', `${text('MQTT')}0502000000${text(clientId)}`);
const hex4 = (value) => value.toString(16).padStart(4, '0');

/** A room with a session that is away and subscribes to `a`. */
async function roomWithAbsentee(name) {
  const room = workerd.room(name);
  await room.absent('absentee', 'a');
  return room;
}

test('A packet that no row can hold is refused: CONNACK says how large one may be, and the largest is kept', async () => {
  const room = workerd.room('large');
  const client = await room.open();
  client.send(connect5('raw'));
  const connack = await client.packet();
  const largest = Number.parseInt(/^20..0000.*27(.{8})/.exec(connack)[1], 16);
  assert.ok(largest < LARGEST_ROW && largest > 1_700_000, String(largest));
  const topic = 't'.repeat(60_000);
  const rest = `${text(topic)}000100`;
  const payload = 'aa'.repeat(largest - 4 - rest.length / 2);
  const length = Buffer.from([...leb(largest - 4)]).toString('hex');
  client.send(`33${length}${rest}${payload}`);
  assert.match(await client.packet(), /^40..0001/);
  const [{ row }] = await room.steer('query', { sql: 'SELECT max(length(key) + length(value)) AS row FROM records' });
  assert.ok(row > largest && row < LARGEST_ROW, String(row));
  client.send(`33${Buffer.from(leb(largest)).toString('hex')}${text(topic)}`);
  assert.match(await client.packet(), /^e0..95/);
  await client.closed;
});

test('A publisher that floods a session which is away meets its limit: what is beyond is counted, and nothing grows', async () => {
  const room = await roomWithAbsentee('flooded');
  const publisher = await room.connect({ clientId: 'publisher' });
  const measures = [];
  for (let round = 0; round < 5; round += 1) {
    for (let id = 1; id <= 200; id += 1) publisher.send(packet('32', `${text('a')}${hex4(id)}${'61'.repeat(100)}`));
    for (let id = 1; id <= 200; id += 1) await publisher.hears(`4002${hex4(id)}`);
    const [{ rows }] = await room.steer('query', { sql: 'SELECT count(*) AS rows FROM records' });
    const { messagesDropped, messagesStored } = await room.steer('statistics');
    measures.push({ rows, bytes: await room.steer('size'), messagesDropped, messagesStored });
  }
  const last = measures.at(-1);
  console.log(`1,000 messages for a session that is away, with room for ${WAITING}: ${JSON.stringify(last)}`);
  assert.equal(last.messagesStored, WAITING);
  assert.equal(last.messagesDropped, 1000 - WAITING);
  assert.deepEqual([last.rows, last.bytes], [measures[1].rows, measures[1].bytes]);
  publisher.send(packet('82', `0001${text('$SYS/broker/messages/dropped')}00`));
  await publisher.hears('9003000100');
  assert.ok((await publisher.packet()).endsWith(Buffer.from(String(last.messagesDropped)).toString('hex')));
  await publisher.close();
});

test('Of what is written as one each record is as it was said last, though the sums of their keys be the same', async () => {
  const room = workerd.room('gathered');
  const writer = await room.connect({ clientId: 'writer' });
  // For a sum of 31 to the power of its place for each letter both are the same.
  const topics = Array.from({ length: 64 }, (_, number) => [...number.toString(2).padStart(6, '0')].map((bit) => (bit === '0' ? 'Aa' : 'BB')).join(''));
  const retain = (topic, payload) => packet('31', text(topic) + Buffer.from(payload).toString('hex'));
  writer.send('c000');
  for (const topic of topics) writer.send(retain(topic, 'first'));
  for (const [number, topic] of topics.entries()) writer.send(retain(topic, number % 3 === 0 ? '' : 'last'));
  writer.send('c000');
  await writer.hears('d000d000');
  await writer.close();
  await room.evict();
  const reader = await room.connect({ clientId: 'reader' });
  reader.send(packet('82', `0001${text('#')}00`));
  await reader.hears('9003000100');
  const left = topics.filter((_, number) => number % 3 > 0);
  const heard = [];
  for (const _ of left) heard.push(await reader.packet());
  assert.deepEqual(heard.sort(), left.map((topic) => retain(topic, 'last')).sort());
  const [{ rows }] = await room.steer('query', { sql: "SELECT count(*) AS rows FROM records WHERE substr(hex(key), 1, 2) = '72'" });
  assert.equal(rows, left.length);
  await reader.close();
});

test('A storage that fails ends the object with one sentence, and nobody is told that something was stored', async () => {
  const room = await roomWithAbsentee('failing');
  const publisher = await room.connect({ clientId: 'publisher' });
  publisher.send(packet('32', `${text('a')}0001${'61'}`));
  await publisher.hears('40020001');
  await room.steer('fail');
  publisher.send(packet('32', `${text('a')}0002${'62'}`));
  await assert.rejects(publisher.packet(), /Heard ""/);
  await publisher.closed;
  const lines = log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const { level, room: name, message } = lines.find(({ event }) => event === 'storageFailed') ?? assert.fail(log.join('\n'));
  assert.deepEqual([level, name], ['error', 'failing']);
  assert.match(message, /The storage of this room failed, so its broker starts again: .*no such table: records/);
  const back = await room.connect({ clientId: 'publisher' });
  await back.close();
});

test('An object whose broker is over ends with the first who comes, and serves the next', async () => {
  const room = workerd.room('over');
  const client = await room.connect({ clientId: 'first' });
  await room.steer('end');
  await client.closed;
  const refused = await room.open().then((it) => it.closed, () => 'refused');
  assert.ok(refused === 'refused' || refused.code !== 1000);
  const next = await room.connect({ clientId: 'next' });
  await next.close();
  assert.equal((await room.facts()).started, 2);
});

test('A room is exported as one file and imported as another, whose clients are told to come back', async () => {
  const room = await roomWithAbsentee('exported');
  await room.steer('publish', { topic: 'a', payload: 'waits', qos: 1 });
  await room.steer('publish', { topic: 'r', payload: 'stays', retain: true });
  const file = await room.export();
  assert.equal(Buffer.from(file.subarray(0, 8)).toString('latin1'), 'MQlite\0\x01');
  const other = workerd.room('imported');
  const client = await other.open();
  client.send(connect5('raw'));
  await client.packet();
  assert.equal(await other.import(file), 0);
  assert.match(await client.packet(), /^e0..8b/);
  await client.closed;
  await other.evict();
  const back = await other.open();
  back.send(packet('10', `${text('MQTT')}04000000${text('absentee')}`));
  await back.hears('20020100');
  assert.match(await back.packet(), /^32..000161....7761697473$/);
  back.send(packet('82', `0002${text('r')}00`));
  await back.hears('9003000200');
  assert.equal(await back.packet(), packet('31', `${text('r')}7374617973`));
  await back.close();
  await assert.rejects(other.import(new Uint8Array(3)));
});

test('The most that is remembered of a connection fits beside its WebSocket', async () => {
  await workerd.room('attached').steer('attach', { bytes: MAXIMUM_STATE });
});

test('A session outgrows what a WebSocket may have beside it, is stored from then on, and ends with its connection all the same', async () => {
  const room = workerd.room('remembered');
  const client = await room.connect({ clientId: 'many' });
  const count = async () => (await room.steer('query', { sql: 'SELECT count(*) AS rows FROM records' }))[0].rows;
  const filters = [];
  for (let id = 1; id <= 40; id += 1) {
    const filter = `${id}/${'f'.repeat(500)}`;
    filters.push(filter);
    const body = `${hex4(id)}${text(filter)}00`;
    client.send(`82${Buffer.from(leb(body.length / 2)).toString('hex')}${body}`);
    await client.hears(`9003${hex4(id)}00`);
    await room.evict();
    if (id === 2) assert.equal(await count(), 0);
  }
  assert.ok((await count()) > 0);
  for (const filter of [filters[0], filters.at(-1)]) {
    await room.steer('publish', { topic: filter, payload: 'x' });
    const body = `${text(filter)}78`;
    await client.hears(`30${Buffer.from(leb(body.length / 2)).toString('hex')}${body}`);
  }
  await client.close();
  await room.steer('settle');
  assert.equal(await count(), 0);
});

test('A room that wakes again and again takes no more memory', async () => {
  const room = workerd.room('dreaming');
  for (let number = 0; number < 200; number += 1) {
    await room.steer('publish', { topic: `r/${number}`, payload: 'x'.repeat(5000), retain: true });
  }
  const wake = async (times) => {
    for (let time = 0; time < times; time += 1) {
      await room.evict();
      await room.steer('statistics');
    }
    return (await room.facts()).memory;
  };
  const memory = await wake(5);
  // each has a megabyte
  assert.ok((await wake(30)) - memory < 5_000_000);
});

/** A Variable Byte Integer. */
function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}
