// `mqlite/testing`: the broker for other people's tests, its time and its trace.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import mqtt from 'mqtt';
import { connect, MqttError } from 'mqlite';
import { testBroker } from 'mqlite/testing';
import { WebSocketServer } from 'ws';
import { settled, until } from './support.mjs';

/** A test with a test broker of its own. */
function withTestBroker(name, body, options = {}) {
  test(name, async (context) => {
    const t = await testBroker(options);
    context.after(() => t.close());
    await body(t, context);
  });
}

/** The trace without what was agreed. */
const brief = (text) => text.replace(/ \{[^}]*\}/g, '');

withTestBroker('A message goes from one client to another, and the trace tells how', async (t) => {
  const heard = [];
  const gauge = await t.connect({ clientId: 'gauge' });
  const board = await t.connect({ clientId: 'board', protocolVersion: 4 });
  await board.subscribe('level/+', { qos: 1 }, (message) => heard.push(message.text()));
  await t.clock.advance(1500);
  await gauge.publish('level/1', '42 cm', { qos: 1 });
  await t.clock.settle();
  assert.deepEqual(heard, ['42 cm']);
  assert.equal(brief(t.trace.text()), `\
     0 ms  gauge → CONNECT MQTT 5.0, client "gauge", clean start, keep alive 120 s
     0 ms  gauge ← CONNACK 0x00 Success
     0 ms  board → CONNECT MQTT 3.1.1, client "board", clean session, keep alive 120 s
     0 ms  board ← CONNACK 0x00 Success
     0 ms  board → SUBSCRIBE #1 "level/+" QoS 1
     0 ms  board ← SUBACK #1 0x01 Granted QoS 1
  1500 ms  gauge → PUBLISH #1 "level/1", QoS 1, "42 cm"
  1500 ms  gauge ← PUBACK #1 0x00 Success
  1500 ms  board ← PUBLISH #1 "level/1", QoS 1, "42 cm"
  1500 ms  board → PUBACK #1`);
});

withTestBroker('Time stands still until it is advanced, and then everything is done in its order', async (t) => {
  const { clock } = t;
  assert.equal(clock.now, Date.UTC(2000));
  await t.connect({ clientId: 'a', keepAlive: 10 });
  await settled();
  assert.equal(t.trace.find('PINGREQ'), undefined);
  await clock.advance(25_000);
  assert.deepEqual(t.trace.filter('PINGREQ').map(({ at }) => at), [5_000, 10_000, 15_000, 20_000, 25_000]);
  const done = [];
  const note = (name) => () => done.push([name, clock.elapsed]);
  const both = clock.sleep(300).then(note('second')).then(() => clock.sleep(100)).then(note('third'));
  clock.sleep(100).then(note('first'));
  clock.sleep(401).then(note('later'));
  await Promise.all([clock.advance(150), clock.advance(250)]);
  await both;
  assert.deepEqual(done, [['first', 25_100], ['second', 25_300], ['third', 25_400]]);
  assert.equal(clock.elapsed, 25_400);
});

withTestBroker('Sessions, messages and wills end when they should', async (t) => {
  const stays = { clientId: 'a', cleanStart: false, reconnect: false, properties: { sessionExpiryInterval: 60 } };
  const will = { topic: 'gone', payload: 'a', properties: { willDelayInterval: 30 } };
  const first = await t.connect({ ...stays, will });
  await first.subscribe('news', { qos: 1 });
  const wills = [];
  const board = await t.connect({ clientId: 'board' });
  await board.subscribe('gone', {}, () => wills.push(t.clock.elapsed));
  t.connection('a').cut();
  await t.broker.publish('news', 'old', { qos: 1, properties: { messageExpiryInterval: 10 } });
  await t.broker.publish('news', 'new', { qos: 1 });
  await t.clock.advance(29_999);
  assert.deepEqual(wills, []);
  await t.clock.advance(1);
  assert.deepEqual(wills, [30_000]);
  const heard = [];
  const second = await t.connect({ ...stays, onMessage: (message) => heard.push(message.text()) });
  assert.equal(second.sessionPresent, true);
  await t.clock.settle();
  assert.deepEqual(heard, ['new']);
  await second.end();
  await t.clock.advance(61_000);
  const third = await t.connect(stays);
  assert.equal(third.sessionPresent, false);
});

withTestBroker('A trace is searched and waited for', async (t) => {
  const { trace } = t;
  const coming = trace.waitFor({ type: ['PUBLISH', 'PUBREL'], topic: 'b', direction: 'sent' });
  const client = await t.connect({ clientId: 'a', userName: 'alice', password: 'hunter2' });
  await client.publish('a', 'one');
  await client.publish('b', 'two', { qos: 2 });
  const { clientId, connection, direction, type, topic, identifier, bytes } = await coming;
  assert.deepEqual(
    { clientId, connection, direction, type, topic, identifier, length: bytes.length },
    { clientId: 'a', connection: 1, direction: 'sent', type: 'PUBLISH', topic: 'b', identifier: 1, length: 14 },
  );
  assert.equal((await trace.waitFor('PUBCOMP')).identifier, 1, 'one that has come already');
  assert.equal(trace.find({ clientId: 'b' }), undefined);
  assert.equal(trace.find({ text: 'password (7 bytes)' }).type, 'CONNECT');
  assert.equal(trace.find({ text: /^PUB.*"two"/ }).topic, 'b');
  assert.deepEqual(trace.filter(({ type, direction }) => type.startsWith('PUB') && direction === 'received').map(({ type }) => type), ['PUBREC', 'PUBCOMP']);
  assert.equal(brief(trace.text({ topic: 'a' })), '     0 ms  a → PUBLISH "a", QoS 0, "one"');
  assert.doesNotMatch(trace.text(), /hunter2/);
  let asked = 0;
  const next = trace.next(({ topic }) => (asked += 1) > 0 && topic === 'b');
  await client.publish('b', 'three');
  assert.match((await next).text, /three/);
  await client.publish('a', 'four', { qos: 1 });
  assert.equal(asked, 1, 'who has found it looks no further');
  await assert.rejects(trace.next('AUTH', { timeout: 1 }), ({ code, message }) => {
    return code === 'timeout' && /^No such packet came within 1 ms/.test(message) && /"four"/.test(message);
  });
  trace.clear();
  assert.equal(trace.text(), '');
});

withTestBroker('A trace is bounded, and says so', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  for (const payload of ['1', '2', '3']) await client.publish('t', payload);
  await t.clock.settle();
  assert.equal(brief(t.trace.text()), `\
(3 earlier ones are forgotten)
     0 ms  a → PUBLISH "t" (by its alias), QoS 0, "2"
     0 ms  a → PUBLISH "t" (by its alias), QoS 0, "3"`);
  assert.equal(t.trace.forgotten, 3);
  const large = new Uint8Array(900_000);
  t.trace.clear();
  const wide = await testBroker();
  const other = await wide.connect({ clientId: 'b' });
  for (let count = 0; count < 20; count += 1) await other.publish('t', large);
  await wide.clock.settle();
  assert.ok(wide.trace.forgotten >= 2);
  assert.ok(wide.trace.packets.reduce((sum, { bytes }) => sum + bytes.length, 0) <= 1 << 24);
  await wide.close();
}, { maximumTracePackets: 2 });

withTestBroker('Code under test that takes an address reaches the broker: MQTT.js', async (t, context) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mqtt' });
  context.after(() => server.close());
  server.on('connection', (socket) => t.accept(socket));
  await once(server, 'listening');
  const client = mqtt.connect(`ws://127.0.0.1:${server.address().port}`, { clientId: 'js', protocolVersion: 5, reconnectPeriod: 0 });
  await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
  const heard = [];
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await client.subscribeAsync('a/#');
  await t.broker.publish('a/b', 'hi');
  await until(() => heard.length > 0);
  assert.deepEqual(heard, ['a/b hi']);
  assert.equal(t.connections.length, 1);
  await client.endAsync();
  await until(() => t.connections.length === 0);
  assert.match(t.trace.text(), /js - The broker has closed it\.$/);
});

withTestBroker('Code under test brings its own client, which is given a WebSocket', async (t) => {
  const client = await connect(() => t.webSocket(), { clientId: 'a' });
  await client.publish('t', 'x', { qos: 1 });
  assert.equal(t.connection('a').number, 1);
  await client.end();
  await until(() => t.connections.length === 0);
});

withTestBroker('Code under test brings its own transport, or connects to the test broker as to any other', async (t) => {
  const over = await connect(t.transport(), { clientId: 'a' });
  const to = await connect(t, { clientId: 'b', ...t.clock.options(), keepAlive: 10 });
  await over.publish('t', 'x', { qos: 1 });
  await t.clock.advance(5_000);
  assert.equal(t.trace.find('PINGREQ').clientId, 'b');
  assert.deepEqual(t.connections.map(({ clientId, number, isOpen }) => [clientId, number, isOpen]), [['a', 1, true], ['b', 2, true]]);
  await Promise.all([over.end(), to.end()]);
});

withTestBroker('What is no MQTT is left to the broker', async (t) => {
  const closed = [];
  for (const data of ['text', Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01), Uint8Array.of(0xc0, 0)]) {
    const transport = t.transport();
    transport.onclose = () => closed.push(data);
    transport.send(data);
  }
  await t.clock.settle();
  assert.equal(closed.length, 3);
});

test('The same seed makes the same trace, and another one another', async () => {
  const run = async (options) => {
    const t = await testBroker(options);
    t.delay('PUBLISH', [1, 1000]);
    t.drop('PUBACK', { chance: 0.5 });
    const anonymous = await t.connect();
    const client = await t.connect({ clientId: 'a' });
    for (let count = 0; count < 5; count += 1) client.publish('t', `${count}`, { qos: 1 }).catch(() => {});
    await t.clock.advance(5_000);
    t.connection('a').cut();
    await t.clock.advance(60_000);
    assert.equal(client.status, 'connected');
    assert.notEqual(anonymous.clientId, '');
    const text = t.trace.text();
    await t.close();
    return text;
  };
  const [one, same, other] = [await run({}), await run({ seed: 1 }), await run({ seed: 2 })];
  assert.equal(one, same);
  assert.notEqual(one, other);
  assert.match(one, /delayed by \d+ ms/);
  assert.match(one, /\[dropped\]/);
});

test('A test whose own timers stand still has a broker all the same', async (context) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });
  context.after(() => mock.timers.reset());
  const t = await testBroker();
  const client = await t.connect({ clientId: 'a', keepAlive: 10 });
  for (let count = 0; count < 200; count += 1) await client.publish('t', new Uint8Array(50_000), { qos: 1 });
  await t.clock.advance(5_000);
  assert.equal(t.trace.filter('PINGREQ').length, 1);
  await assert.rejects(t.trace.next('AUTH', { timeout: 1 }), { code: 'timeout' });
  await t.close();
});

test('With the test broker everything ends', async () => {
  const t = await testBroker();
  const client = await t.connect({ clientId: 'a' });
  const own = await connect(t, { clientId: 'b', ...t.clock.options() });
  const asleep = await t.connect({ clientId: 'c' });
  const stalled = t.transport();
  let isClosed = false;
  stalled.onclose = () => (isClosed = true);
  t.connections.at(-1).stall();
  t.refuse(100);
  t.connection('c').cut();
  await t.clock.settle();
  assert.equal(asleep.status, 'waiting');
  await t[Symbol.asyncDispose]();
  await t.close();
  assert.deepEqual([client.status, asleep.status], ['ended', 'ended']);
  await until(() => own.status !== 'connected');
  await own.end();
  await until(() => isClosed);
  assert.equal(t.connections.length, 0);
  await assert.rejects(t.connect(), { code: 'closed', message: 'The test broker is closed.' });
  await assert.rejects(t.start(), { code: 'closed' });
  assert.throws(() => t.transport(), { code: 'closed' });
  assert.throws(() => t.broker.statistics(), { code: 'closed' });
});

withTestBroker('What cannot be is refused in one sentence', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  const cases = [
    [() => testBroker({ storage: {} }), 'There is no option "storage".'],
    [() => testBroker({ seed: 0.5 }), 'seed must be a whole number of 0 or more.'],
    [() => testBroker({ startAt: -1 }), 'startAt must be a whole number from 0 to 8640000000000000.'],
    [() => testBroker({ maximumTracePackets: 0 }), 'maximumTracePackets must be a whole number of 1 or more.'],
    [() => testBroker({ receiveMaximum: 'few' }), 'receiveMaximum must be a number.'],
    [() => testBroker({ maximumQos: 3 }), /maximumQos/],
    [() => t.clock.advance(-1), 'milliseconds must be a whole number of 0 or more.'],
    [() => t.clock.advance(Infinity), 'milliseconds must be a whole number of 0 or more.'],
    [() => t.clock.sleep(0.1), 'milliseconds must be a whole number of 0 or more.'],
    [() => t.connection('b'), 'No client "b" is connected.'],
    [() => t.drop('PUBSUB'), 'There is no packet type "PUBSUB".'],
    [() => t.drop({ direction: 'up' }), 'direction must be "sent" or "received", as the client sees it.'],
    [() => t.drop({ text: 1 }), 'text must be a string or a regular expression.'],
    [() => t.drop({ client: 'a' }), 'There is no option "client".'],
    [() => t.drop(), 'The options must be an object.'],
    [() => t.duplicate('PUBLISH', { times: 0 }), 'times must be a whole number of 1 or more.'],
    [() => t.duplicate('PUBLISH', { after: -1 }), 'after must be a whole number of 0 or more.'],
    [() => t.duplicate('PUBLISH', { chance: 2 }), 'chance must be a number from 0 to 1.'],
    [() => t.delay('PUBLISH', -1), 'milliseconds must be a whole number of 0 or more.'],
    [() => t.delay('PUBLISH', [5, 4]), 'milliseconds must be a whole number of 5 or more.'],
    [() => t.delay('PUBLISH', 'soon'), 'milliseconds must be a whole number, or a range of two.'],
    [() => t.cut('PUBLISH', { where: 'above' }), 'where must be one of before, middle, after.'],
    [() => t.connection('a').stall('down'), 'direction must be "sent" or "received", as the client sees it.'],
    [() => t.refuse(0), 'times must be a whole number of 1 or more.'],
    [() => t.stop({ state: 'lost' }), 'There is no option "state".'],
    [() => t.trace.find('X'), 'There is no packet type "X".'],
    [() => t.trace.next('AUTH', { timeout: 'long' }), 'timeout must be a number of milliseconds.'],
  ];
  for (const [call, message] of cases) {
    const error = await Promise.resolve().then(call).catch((thrown) => thrown);
    assert.ok(error instanceof MqttError, `${call}: ${error}`);
    assert.equal(error.code, 'invalid-options', `${call}`);
    assert.match(error.message, message instanceof RegExp ? message : new RegExp(`^${message.replace(/[.()[\]]/g, '\\$&')}$`));
  }
  assert.equal(client.status, 'connected');
});

withTestBroker('Clients that never come to rest are told of, and so is a time that does not pass', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  await client.subscribe('again', {}, async () => {
    await new Promise(setImmediate); // one message a turn
    await client.publish('again', 'x').catch(() => {}); // until it ends
  });
  client.publish('again', 'x');
  await assert.rejects(t.clock.settle(), { code: 'busy', message: 'The clients and the broker do not come to rest.' });
  await client.end();
  const timer = t.clock.timer();
  const again = () => timer.set(t.clock.now, again);
  again();
  await assert.rejects(t.clock.advance(1), { code: 'busy', message: 'What falls due has no end, although no time passes.' });
});
