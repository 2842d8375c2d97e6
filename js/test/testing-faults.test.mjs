// `mqlite/testing`: what goes wrong on purpose.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'mqlite';
import { testBroker } from 'mqlite/testing';
import { RawTransport, until } from './support.mjs';

/** A test with a test broker of its own. */
function withTestBroker(name, body, options = {}) {
  test(name, async (context) => {
    const t = await testBroker(options);
    context.after(() => t.close());
    await body(t, context);
  });
}

/** Each line of the trace that is about application messages or the end of a connection, without time. */
const story = (t) => t.trace.text().split('\n').map((line) => line.slice(11).replace(/ \{[^}]*\}/g, '')).filter((line) => / - |PUB/.test(line));

/** Quick to come back, always after the same time. */
const QUICK = { reconnect: { minimumDelayMillis: 1, maximumDelayMillis: 1 } };

withTestBroker('An acknowledgement is lost, and the client sends again on the next connection', async (t) => {
  const client = await t.connect({ clientId: 'a', ...QUICK });
  const lost = t.drop({ type: 'PUBACK', direction: 'received' }, { times: 1 });
  let answer;
  client.publish('t', 'x', { qos: 1 }).then((said) => (answer = said));
  await t.clock.advance(1_000);
  assert.equal(answer, undefined);
  assert.equal(lost.count, 1);
  t.connection('a').cut();
  await t.clock.advance(1_000);
  assert.deepEqual(story(t), [
    'a → PUBLISH #1 "t", QoS 1, "x"',
    'a ← PUBACK #1 0x10 No matching subscribers  [dropped]',
    'a - It was cut.',
    'a → PUBLISH #1 "t", QoS 1, dup, "x"',
    'a ← PUBACK #1 0x10 No matching subscribers',
  ]);
  assert.equal(answer.reason, 0x10);
});

withTestBroker('A packet comes twice: at QoS 1 the message too, at QoS 2 not', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  const heard = [];
  await client.subscribe('#', { qos: 2 }, (message) => heard.push(`${message.topic} ${message.dup}`));
  const twice = t.duplicate({ type: 'PUBLISH', direction: 'received' });
  await t.broker.publish('once', 'x', { qos: 2 });
  await t.broker.publish('twice', 'x', { qos: 1 });
  await t.clock.settle();
  assert.deepEqual(heard, ['once false', 'twice false', 'twice false']);
  assert.equal(twice.count, 2);
  assert.match(t.trace.find({ topic: 'once' }).fate, /^twice$/);
  twice[Symbol.dispose]();
  await t.broker.publish('again', 'x');
  await t.clock.settle();
  assert.equal(heard.length, 4);
});

withTestBroker('Packets come later, and none overtakes another', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  const heard = [];
  await client.subscribe('#', {}, (message) => heard.push([message.topic, t.clock.elapsed]));
  t.delay({ topic: 'slow', direction: 'received' }, 500);
  await t.broker.publish('slow', '');
  await t.broker.publish('fast', '');
  await t.clock.advance(100);
  await t.broker.publish('later', '');
  await t.clock.advance(399);
  assert.deepEqual(heard, []);
  await t.clock.advance(1);
  assert.deepEqual(heard, [['slow', 500], ['fast', 500], ['later', 500]]);
  assert.equal(t.trace.find({ topic: 'slow' }).fate, 'delayed by 500 ms');
  const some = t.delay('PUBLISH', [10, 20], { times: 50 });
  for (let count = 0; count < 50; count += 1) await t.broker.publish(`${count}`, '');
  const delays = t.trace.filter({ direction: 'received' }).flatMap(({ fate }) => /by (1\d|20) ms/.exec(fate)?.[1] ?? []);
  assert.equal(delays.length, 50);
  assert.ok(new Set(delays).size > 5);
  await t.broker.publish('prompt', '');
  assert.equal(t.trace.find({ topic: 'prompt' }).fate, undefined);
  some.end();
});

withTestBroker('A connection is cut before a packet, behind it, or in its midst', async (t) => {
  for (const where of ['before', 'middle', 'after']) {
    const transport = t.transport();
    const heard = [];
    transport.onmessage = ({ data }) => heard.push(Buffer.from(data).toString('hex'));
    let isClosed = false;
    transport.onclose = () => (isClosed = true);
    transport.send(Uint8Array.from(Buffer.from('100c00044d5154540402000000008206000100017400', 'hex')));
    await t.clock.settle();
    heard.length = 0;
    t.cut({ topic: 't', direction: 'received' }, { where, times: 1 });
    await t.broker.publish('t', Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    await t.clock.settle();
    assert.ok(isClosed);
    const packet = '300a00017401020304050607';
    assert.equal(heard.join(''), { before: '', middle: packet.slice(0, 12), after: packet }[where], where);
    assert.match(t.trace.text(), /PUBLISH "t", QoS 0, 0x01020304050607  \[cut (before it|in the middle|after it)\]\n.*It was cut\.$/);
  }
});

withTestBroker('Behind a cut nothing is sent, however much came at once', async (t) => {
  const transport = t.transport();
  t.cut('PUBLISH', { after: 1 });
  transport.send(Uint8Array.from(Buffer.from(`100c00044d515454040200000000${'3003000174'.repeat(5)}`, 'hex')));
  await t.clock.settle();
  assert.equal(t.broker.statistics().messagesReceived, 1);
  assert.deepEqual(t.trace.filter('PUBLISH').map(({ fate }) => fate), [undefined, 'cut before it']);
  const raw = new RawTransport();
  t.accept(raw);
  t.delay('CONNACK', 100);
  raw.say('100c00044d515454040200000000');
  t.connections[0].cut();
  await t.clock.advance(100);
  assert.ok(raw.closed);
  assert.equal(raw.hear(), '', 'what was on its way is lost');
});

withTestBroker('A connection is cut when so many packets have gone over it, and the client comes back', async (t) => {
  const client = await t.connect({ clientId: 'a', ...QUICK });
  t.cut({ clientId: 'a', type: 'PUBLISH', direction: 'sent' }, { after: 2, times: 1 });
  const published = [1, 2, 3, 4].map((number) => client.publish('t', `${number}`, { qos: 1 }));
  await t.clock.advance(10);
  const reasons = (await Promise.all(published)).map(({ reason }) => reason);
  assert.deepEqual(reasons, [0x10, 0x10, 0x10, 0x10]);
  const sent = t.trace.filter({ type: 'PUBLISH', direction: 'sent' }).map(({ text, fate }) => `${/"(\d)"/.exec(text)[1]} ${fate ?? 'came'}`);
  assert.deepEqual(sent.slice(0, 3), ['1 came', '2 came', '3 cut before it']);
  assert.deepEqual(sent.slice(-2), ['3 came', '4 came']);
});

withTestBroker('A client gives up a connection over which nothing comes any more, and makes another', async (t) => {
  const client = await t.connect({ clientId: 'a', keepAlive: 10, responseTimeoutMillis: 4_000, ...QUICK });
  t.connection('a').stall('received');
  await t.clock.advance(9_000);
  assert.equal(client.status, 'connected');
  assert.deepEqual(t.trace.filter({ type: ['PINGREQ', 'PINGRESP', 'CONNECT'] }).map(({ at, type, fate }) => [at, type, fate]), [
    [0, 'CONNECT', undefined],
    [5_000, 'PINGREQ', undefined],
    [5_000, 'PINGRESP', 'held up'],
    [9_000, 'CONNECT', undefined],
  ]);
});

withTestBroker('A broker gives up a connection over which nothing comes any more, not even its end', async (t) => {
  const client = await t.connect({ clientId: 'a', keepAlive: 10, reconnect: false });
  t.connection('a').stall('sent');
  const ending = client.end();
  await t.clock.advance(14_999);
  assert.equal(t.broker.statistics().clientsConnected, 1);
  await t.clock.advance(1);
  assert.equal(t.broker.statistics().clientsConnected, 0);
  assert.match(t.trace.text(), /a ← DISCONNECT 0x8d Keep Alive timeout/);
  await ending;
});

withTestBroker('What was held up comes when the connection goes on', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  const connection = t.connection('a');
  connection.stall('sent');
  let isPublished = false;
  client.publish('t', 'x', { qos: 1 }).then(() => (isPublished = true));
  await t.clock.advance(1_000);
  assert.equal(isPublished, false);
  assert.equal(t.broker.statistics().messagesReceived, 0);
  connection.resume('sent');
  await t.clock.settle();
  assert.equal(isPublished, true);
});

withTestBroker('Connections are refused, as often as was said', async (t) => {
  t.refuse();
  await assert.rejects(t.connect({ clientId: 'a' }), { code: 'unreachable' });
  t.refuse(2);
  const client = await t.connect({ clientId: 'b', waitForConnection: false, ...QUICK });
  await t.clock.advance(10);
  assert.equal(client.status, 'connected');
  assert.equal(t.trace.text().match(/It was refused\./g).length, 3);
  t.refuse();
  const socket = t.webSocket();
  const [[{ type }], [{ code }]] = await Promise.all([once(socket, 'error'), once(socket, 'close')]);
  assert.deepEqual([type, code], ['error', 1006]);
});

withTestBroker('A broker restarts with what it knew, or without, and with or without a word', async (t) => {
  const client = await t.connect({ clientId: 'a', ...QUICK });
  const present = [];
  client.on('status', (status, { sessionPresent }) => status === 'connected' && present.push(sessionPresent));
  await client.publish('kept', 'x', { qos: 1, retain: true });
  const { broker } = t;
  for (const options of [{}, { crash: true }, { keepState: false }, { crash: true, keepState: false }]) {
    await client.publish('kept', 'x', { qos: 1, retain: true });
    await t.restart(options);
    assert.equal(t.broker.statistics().retainedMessages, options.keepState === false ? 0 : 1);
    await t.clock.advance(10);
    assert.equal(client.status, 'connected');
  }
  assert.notEqual(t.broker, broker);
  assert.deepEqual(present, [true, true, false, false]);
  assert.equal(t.trace.filter({ type: 'DISCONNECT', text: '0x8b' }).length, 2);
  assert.equal(t.trace.text().match(/The broker has crashed\./g).length, 2);
});

withTestBroker('While a broker is away connections are refused', async (t) => {
  const client = await t.connect({ clientId: 'a', reconnect: { maximumDelayMillis: 1_000 } });
  await t.stop({ crash: true });
  await t.clock.advance(10_000);
  assert.equal(client.status, 'waiting');
  await assert.rejects(t.connect({ reconnect: false }), { code: 'unreachable' });
  await t.start();
  await t.start();
  await t.clock.advance(10_000);
  assert.equal(client.status, 'connected');
  assert.equal(t.broker.statistics().clientsConnected, 1);
});

withTestBroker('A broker that takes one message at a time is given one at a time', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  await Promise.all([client.publish('t', '1', { qos: 1 }), client.publish('t', '2', { qos: 1 })]);
  assert.deepEqual(t.trace.filter(({ type }) => type.startsWith('PUB')).map(({ type, identifier }) => `${type} ${identifier}`), [
    'PUBLISH 1',
    'PUBACK 1',
    'PUBLISH 2',
    'PUBACK 2',
  ]);
}, { receiveMaximum: 1 });

withTestBroker('A fault happens by chance, but not beyond its number, and never once it is ended', async (t) => {
  const client = await t.connect({ clientId: 'a' });
  const rare = t.drop('PUBLISH', { chance: 0.3, after: 10 });
  for (let count = 0; count < 110; count += 1) await client.publish('t', `${count}`);
  await t.clock.settle();
  assert.ok(rare.count > 10 && rare.count < 60, `${rare.count}`);
  assert.ok(t.trace.filter('PUBLISH').slice(0, 10).every(({ fate }) => fate === undefined));
  const { count } = rare;
  rare.end();
  for (let more = 0; more < 20; more += 1) await client.publish('t', 'x');
  await t.clock.settle();
  assert.equal(rare.count, count);
  const never = t.drop('PUBLISH', { chance: 0 });
  await client.publish('t', 'x', { qos: 1 });
  assert.equal(never.count, 0);
});

withTestBroker('Faults together: what is lost does not come twice, and the connection is cut all the same', async (t) => {
  await t.connect({ clientId: 'a', reconnect: false });
  t.drop('DISCONNECT');
  t.duplicate('DISCONNECT');
  t.cut('DISCONNECT', { where: 'after' });
  await t.stop();
  await t.clock.settle();
  const { fate } = t.trace.find('DISCONNECT');
  assert.equal(fate, 'dropped, twice, cut after it');
  assert.match(t.trace.text(), /It was cut\.$/);
});

withTestBroker('More than a test broker carries ends the connection, and says so', async (t) => {
  const transport = t.transport();
  let isClosed = false;
  transport.onclose = () => (isClosed = true);
  transport.send(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
  for (let part = 0; part < 256; part += 1) transport.send(new Uint8Array(1 << 20));
  await until(() => isClosed);
  assert.match(t.trace.text(), /It was cut: a packet of 268435460 bytes is more than a test broker carries\.$/);
  const client = await t.connect({ clientId: 'a', reconnect: false });
  t.connection('a').stall('sent');
  const large = new Uint8Array(1_000_000);
  for (let part = 0; part < 17; part += 1) client.publish('t', large).catch(() => {});
  await client.ended;
  assert.match(t.trace.text(), /It was cut: more than 16777216 bytes were on their way\.$/);
});

withTestBroker('A client elsewhere may be hindered too: it is known by its identifier', async (t) => {
  const [one, other] = [await connect(t, { clientId: 'one' }), await connect(t, { clientId: 'other' })];
  const fault = t.drop({ clientId: 'one', type: 'PUBLISH' });
  await one.publish('t', 'x');
  await other.publish('t', 'x', { qos: 1 });
  assert.equal(fault.count, 1);
  assert.equal(t.broker.statistics().messagesReceived, 1);
  await Promise.all([one.end(), other.end()]);
});
