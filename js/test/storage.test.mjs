import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, MqttError } from 'mqlite/broker';
import { Memory, Slow } from './storages.mjs';
import { RawTransport, rawClient } from './support.mjs';

const PERSISTENT = { clientId: 'ada', cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
const turn = () => new Promise((resolve) => setTimeout(resolve));

test('What is retained and what waits for a session is there for the next broker', async () => {
  const storage = new Memory();
  const first = await Broker.open({ storage });
  const ada = await first.connect(PERSISTENT);
  await ada.subscribe('t/#', { qos: 1 }, () => {});
  await ada.end();
  await first.publish('t/1', 'waits', { qos: 1 });
  await first.publish('r', 'retained', { qos: 1, retain: true });
  await first.close();
  assert.equal(storage.closed, 1);

  const second = await Broker.open({ storage });
  const messages = [];
  const hear = ({ topic, payload }) => messages.push(`${topic} ${Buffer.from(payload)}`);
  const again = await second.connect({ ...PERSISTENT, onMessage: hear });
  assert.equal(again.sessionPresent, true);
  await again.subscribe('r', hear);
  while (messages.length < 2) await turn();
  assert.deepEqual(messages, ['t/1 waits', 'r retained']);
  await second.close();
});

test('Nothing is acknowledged before it is durable, and one group gathers while another is on its way', async () => {
  const storage = new Slow();
  const broker = await Broker.open({ storage });
  const client = await broker.connect({ clientId: 'eve', reconnect: false });
  const publish = async (number) => {
    await client.publish(`t/${number}`, 'x', { qos: 1, retain: true });
    return storage.commits;
  };
  const first = publish(0);
  while (storage.pending.length === 0) await turn();
  const others = [1, 2].map(publish);
  await turn();
  await turn();
  assert.equal(storage.pending.length, 1);
  storage.finish();
  assert.equal(await first, 1);
  while (storage.pending.length === 0) await turn();
  storage.finish();
  assert.deepEqual(await Promise.all(others), [2, 2]);
  assert.equal(storage.records.size, 3);
  await broker.close();
});

test('What the host publishes resolves when it is durable, and not if it never is', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Slow();
  const broker = await Broker.open({ storage });
  let isDone = false;
  const published = broker.publish('t', 'x', { qos: 1, retain: true }).then(() => (isDone = true));
  await turn();
  assert.deepEqual([storage.pending.length, isDone], [1, false]);
  storage.finish();
  await published;
  const lost = broker.publish('t/2', 'x', { qos: 1, retain: true });
  await turn();
  storage.finish(new MqttError('storage-full', 'There is no room.'));
  await assert.rejects(lost, { code: 'storage-full' });
});

test('A storage that fails ends the broker, and what was not stored is not acknowledged', async (context) => {
  const errors = [];
  context.mock.method(console, 'error', (error) => errors.push(error));
  const storage = new Slow();
  const broker = await Broker.open({ storage });
  const client = await broker.connect({ clientId: 'eve', reconnect: false });
  const published = client.publish('t', 'x', { qos: 1, retain: true });
  while (storage.pending.length === 0) await turn();
  storage.finish(new MqttError('storage-full', 'There is no room.'));
  await assert.rejects(published, { code: 'interrupted' });
  await assert.rejects(broker.connect(), { code: 'storage-full' });
  await assert.rejects(broker.close(), { code: 'storage-full' });
  assert.equal(storage.closed, 1);
  assert.deepEqual(errors.map(({ code }) => code), ['storage-full']);
});

test('A storage that fails at once ends the broker just so', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  const client = await broker.connect({ clientId: 'eve' });
  storage.commit = () => {
    throw new Error('the disk is gone');
  };
  await assert.rejects(client.publish('t', 'x', { qos: 1, retain: true }), { code: 'interrupted' });
  await assert.rejects(broker.connect(), { code: 'storage-failed', message: 'The storage failed: the disk is gone' });
});

test('With a fallback to memory the broker goes on with what it has', async () => {
  const events = [];
  const onEvent = ({ type, error }) => type === 'storageFailed' && events.push(error.code);
  const storage = new Slow();
  const broker = await Broker.open({ storage, storageFallback: 'memory', onEvent });
  const client = await broker.connect({ clientId: 'eve', reconnect: false });
  const published = client.publish('t', 'x', { qos: 1, retain: true });
  while (storage.pending.length === 0) await turn();
  storage.finish(new MqttError('storage-lost', 'It was deleted.'));
  await published;
  await client.publish('t/2', 'x', { qos: 1, retain: true });
  assert.equal(broker.statistics().retainedMessages, 2);
  assert.deepEqual(events, ['storage-lost']);
  assert.equal(storage.closed, 1);
  await broker.close();
});

test('A storage that does not open is said to be so, or goes without', async () => {
  const error = new MqttError('storage-unavailable', 'This is a private window.');
  const storage = { load: () => Promise.reject(error), commit: () => {} };
  await assert.rejects(Broker.open({ storage }), error);
  const events = [];
  const broker = await Broker.open({ storage, storageFallback: 'memory', onEvent: (event) => events.push(event) });
  await broker.publish('t', 'x', { retain: true });
  assert.deepEqual(events, [{ type: 'storageFailed', error }]);
  await broker.close();
});

test('A storage that loads anything but records is told so, before a client finds its session gone', async () => {
  for (const loaded of [undefined, null, 5, {}, [{ key: 'a', value: 'b' }], new Map([['a', 'b']]), [undefined]]) {
    const storage = { load: () => loaded, commit: () => {} };
    const message = "The storage's load must return the records, each a key and a value that are Uint8Arrays.";
    await assert.rejects(Broker.open({ storage }), { name: 'MqttError', code: 'storage-failed', message });
  }
});

test('A record that cannot be used is told of and left alone', async () => {
  const storage = new Memory();
  storage.records.set(Buffer.from('zebra').toString('hex'), new Uint8Array([1]));
  const events = [];
  const broker = await Broker.open({ storage, onEvent: (event) => events.push(event) });
  await turn();
  assert.deepEqual(events, [
    { type: 'recordRejected', key: new Uint8Array(Buffer.from('zebra')), reason: 'the key is none that this broker knows' },
  ]);
  await broker.close();
  assert.equal(storage.records.size, 1);
});

test('Options of storage without a storage are refused', async () => {
  for (const options of [{ storageFallback: 'memory' }, { resume: [] }]) {
    await assert.rejects(Broker.open(options), { code: 'invalid-options' });
  }
  for (const options of [{ storage: {} }, { storage: new Memory(), storageFallback: 'disk' }, { storage: new Memory(), resume: [{}] }]) {
    await assert.rejects(Broker.open(options), { code: 'invalid-options' });
  }
});

test('Connections that outlive their broker go on with the next one, between any two packets', async () => {
  const storage = new Memory();
  const transport = new RawTransport();
  let broker = await Broker.open({ storage, resume: [] });
  broker.accept(transport);
  const next = async () => {
    transport.onmessage = transport.onclose = null;
    broker = await Broker.open({ storage, resume: [transport] });
  };
  const steps = [
    ['10 1c 0004 4d515454 05 00 0000 05 11 00000e10 000a 7065727369737465 6e74', '20'], // CONNECT, Session Expiry Interval 3600
    ['82 09 0001', ''],
    ['00 0003 742f23 02', '9004 0001 00 02'], // SUBSCRIBE t/# at QoS 2
    ['34 09 0003 742f78 0002', ''],
    ['00 21', '5002 0002'], // PUBLISH, identifier 2, is acknowledged with PUBREC
    ['62 02 0002', '7002 0002'], // PUBREL, PUBCOMP
    ['50 02 0001', '6202 0001'], // PUBREC for what the broker delivered, PUBREL
    ['70 02 0001', ''], // PUBCOMP
    ['c0 00', 'd000'],
  ];
  let delivered = '';
  for (const [say, hear] of steps) {
    transport.say(say);
    const heard = transport.hear();
    assert.ok(heard.includes(hear.replaceAll(' ', '')), `${say}: ${heard}`);
    if (heard.includes('0003742f78')) delivered += heard;
    await next();
    assert.equal(transport.hear(), '');
    assert.equal(transport.closed, false);
  }
  assert.equal(delivered.split('34090003742f7800010021').length, 2);
  assert.equal(broker.statistics().messagesStored, 0);
});

test('An instance that fails is replaced under brokers with a storage: others go on, and the one who broke it is closed', async (context) => {
  context.mock.method(console, 'error', () => {});
  const rooms = [0, 1].map(() => ({ storage: new Memory(), transport: new RawTransport() }));
  for (const room of rooms) {
    room.broker = await Broker.open({ storage: room.storage, resume: [] });
    room.broker.accept(room.transport);
    room.transport.say('10 13 0004 4d515454 05 00 0000 05 11 00000e10 0001 61');
    room.transport.say('82 09 0001 00 0003 742f23 01');
    room.transport.hear();
  }
  const [{ broker }] = rooms;
  const offender = rawClient(broker);
  offender.onmessage({ data: new Uint8Array(2 ** 31) });
  await turn();
  assert.ok(offender.closed);
  for (const { broker, transport } of rooms) {
    assert.equal(transport.closed, false);
    await broker.publish('t/1', 'x', { qos: 1 });
    assert.match(transport.hear(), /^32090003742f3100010078$/);
    transport.say('4002 0001');
    await broker.close();
    assert.ok(transport.closed);
  }
});

test('A broker with a storage, but whose connections do not outlive it, closes them when its instance fails, and goes on', async (context) => {
  context.mock.method(console, 'error', () => {});
  const broker = await Broker.open({ storage: new Memory() });
  const client = await broker.connect(PERSISTENT);
  await client.subscribe('t', { qos: 1 }, () => {});
  rawClient(broker).onmessage({ data: new Uint8Array(2 ** 31) });
  assert.equal((await client.ended).cause, 'lost');
  const again = await broker.connect(PERSISTENT);
  assert.equal(again.sessionPresent, true);
  await broker.close();
});

test('An engine that fails again before it did anything is not replaced for ever', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  const broker = await Broker.open({ storage, resume: [] });
  const transport = rawClient(broker);
  const state = new Uint8Array(2 ** 31);
  Object.defineProperty(transport, 'state', { get: () => state, set: () => {} });
  rawClient(broker).onmessage({ data: new Uint8Array(2 ** 31) });
  await turn();
  assert.throws(() => broker.statistics(), { code: 'broken' });
  assert.ok(transport.closed);
});

test('All that outlives a broker moves to another, whether either has a storage or not', async () => {
  let file;
  for (const storage of [undefined, new Memory()]) {
    const broker = await Broker.open({ storage });
    if (file) assert.equal(await broker.import(file), 0);
    else {
      const ada = await broker.connect(PERSISTENT);
      await ada.subscribe('t', { qos: 1 }, () => {});
      await ada.end();
      await broker.publish('t', 'waits', { qos: 1 });
      await broker.publish('r', 'retained', { retain: true });
    }
    file = await broker.export();
    await broker.close();
  }
  const broker = await Broker.open();
  const bystander = await broker.connect({ reconnect: false });
  await broker.publish('old', 'retained', { retain: true });
  await broker.import(file);
  assert.equal((await bystander.ended).reason, 0x8b);
  assert.deepEqual(await broker.export(), file);
  const messages = [];
  const onMessage = ({ topic, payload }) => messages.push(`${topic} ${Buffer.from(payload)}`);
  const ada = await broker.connect({ ...PERSISTENT, onMessage });
  await ada.subscribe('+', onMessage);
  while (messages.length < 2) await turn();
  assert.deepEqual(messages, ['t waits', 'r retained']);
  await broker.close();
});

test('What is imported is durable, and nothing else is', async () => {
  const source = await Broker.open();
  await source.publish('new', 'x', { retain: true });
  const file = await source.export();
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  await broker.publish('old', 'x', { retain: true });
  await broker.import(file);
  await broker.close();
  const next = await Broker.open({ storage });
  assert.deepEqual(await next.export(), file);
});

test('What is no export, or not whole, is refused in words, and nothing is lost', async () => {
  const broker = await Broker.open();
  await broker.publish('t', 'x', { retain: true });
  const file = await broker.export();
  for (const [other, message] of [
    [new Uint8Array(), /no export/],
    [file.slice(0, -1), /not whole/],
    ['text', /Uint8Array/],
  ]) {
    await assert.rejects(broker.import(other), { code: 'invalid-options', message });
  }
  assert.deepEqual(await broker.export(), file);
  await broker.close();
});

test('A storage with a limit lowers Maximum Packet Size', async () => {
  const storage = Object.assign(new Memory(), { maximumValueBytes: 500_000 });
  const broker = await Broker.open({ storage });
  const client = await broker.connect();
  assert.equal(client.server.maximumPacketSize, 500_000 - 131_072);
  await assert.rejects(client.publish('t', new Uint8Array(400_000)), { code: 'packet-too-large' });
  await broker.close();
});

test('A broker that is abandoned takes nothing any more, and leaves its storage, its timer and its transports alone', async () => {
  const storage = new Memory();
  let cleared = 0;
  const broker = await Broker.open({ storage, resume: [], timer: { set() {}, clear: () => (cleared += 1) } });
  const transport = new RawTransport();
  broker.accept(transport);
  const [clearedBefore, committedBefore] = [cleared, storage.commits];
  broker.abandon();
  broker.abandon();
  assert.throws(() => broker.accept(new RawTransport()), { code: 'closed' });
  assert.throws(() => broker.statistics(), { code: 'closed' });
  assert.deepEqual([cleared, storage.commits, storage.closed], [clearedBefore, committedBefore, 0]);
  assert.equal(transport.closed, false);
});
