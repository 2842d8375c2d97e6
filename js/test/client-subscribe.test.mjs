// What is asked of a client: subscriptions, acknowledgements, payloads, and how long a request may take.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { RawTransport, settled, Time, until, withBroker } from './support.mjs';

withBroker('A subscription may have several filters, and each message of theirs comes once', async (broker) => {
  const client = await connect(broker);
  const subscription = await client.subscribe(['a', 'a/#', 'b'], { qos: 2 });
  assert.deepEqual([subscription.filters, subscription.granted, subscription.qos], [['a', 'a/#', 'b'], [1, 1, 1], 1]);
  for (const topic of ['a', 'b', 'c']) await broker.publish(topic, topic, { qos: 1 });
  const messages = subscription[Symbol.asyncIterator]();
  const texts = [(await messages.next()).value.text(), (await messages.next()).value.text()];
  assert.deepEqual(texts, ['a', 'b']);
  await subscription.unsubscribe();
  assert.deepEqual(await messages.next(), { value: undefined, done: true });
  assert.equal(broker.statistics().subscriptions, 0);
}, { maximumQos: 1 });

withBroker('Of several filters all are granted or none, and the refused one is named', async (broker) => {
  const client = await connect(broker);
  await client.subscribe('kept', () => {});
  await assert.rejects(client.subscribe(['a', 'secret', 'kept', 'b'], () => {}), (error) => {
    assert.deepEqual([error.code, error.reason], ['refused', 0x87]);
    assert.match(error.message, /"secret"/);
    return true;
  });
  assert.equal(broker.statistics().subscriptions, 1, 'the one of before is still there');
  await assert.rejects(client.subscribe([]), { code: 'invalid-options' });
  await assert.rejects(client.subscribe(['a', 5]), { code: 'invalid-options' });
  await client.unsubscribe(['kept', 'a']);
  assert.equal(broker.statistics().subscriptions, 0);
}, { grants: [{ filter: 'a' }, { filter: 'b' }, { filter: 'kept' }] });

withBroker('With manualAck a message is acknowledged when somebody says so, and once', async (broker) => {
  const client = await connect(broker);
  const taken = [];
  await client.subscribe('a', { qos: 1, manualAck: true }, (message) => void taken.push(message));
  for (const text of ['1', '2']) await broker.publish('a', text, { qos: 1 });
  await until(() => taken.length === 2);
  await settled();
  assert.equal(broker.statistics().messagesStored, 2);
  taken[0].ack();
  taken[0].ack();
  await until(() => broker.statistics().messagesStored === 1);
  taken[1].ack();
  await until(() => broker.statistics().messagesStored === 0);
  const subscription = await client.subscribe('b', { qos: 1, manualAck: true });
  for (const text of ['1', '2']) await broker.publish('b', text, { qos: 1 });
  const messages = subscription[Symbol.asyncIterator]();
  const [first, second] = [(await messages.next()).value, (await messages.next()).value];
  assert.equal(broker.statistics().messagesStored, 2, 'to ask for the next is no acknowledgement');
  first.ack();
  second.ack();
  await until(() => broker.statistics().messagesStored === 0);
});

withBroker('What was not acknowledged comes again to the next client of the session, with the same Packet Identifier', async (broker) => {
  const session = { clientId: 'c', cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const first = await connect(broker, session);
  const taken = [];
  await first.subscribe('a', { qos: 1, manualAck: true }, (message) => void taken.push(message));
  for (const text of ['1', '2', '3']) await broker.publish('a', text, { qos: Number(text) % 2 });
  await until(() => taken.length === 3);
  assert.equal(taken[1].packetIdentifier, undefined, 'at QoS 0 there is none');
  taken[0].ack();
  await until(() => broker.statistics().messagesStored === 1);
  await first.end({ sessionExpiryInterval: 60 });
  const again = [];
  const second = await connect(broker, { ...session, manualAck: true, onMessage: (message) => void again.push(message) });
  await broker.publish('a', '5', { qos: 1 });
  await until(() => again.length === 2);
  await settled();
  assert.equal(broker.statistics().messagesStored, 2);
  for (const message of again) message.ack();
  await until(() => broker.statistics().messagesStored === 0);
  assert.deepEqual([again[0].text(), again[0].packetIdentifier], ['3', taken[2].packetIdentifier]);
  assert.notEqual(taken[0].packetIdentifier, taken[2].packetIdentifier);
  await second.end();
});

withBroker('Without it a handler may acknowledge before it is done', async (broker) => {
  const client = await connect(broker);
  let finish;
  await client.subscribe('a', { qos: 1 }, (message) => {
    message.ack();
    return new Promise((resolve) => (finish = resolve));
  });
  await broker.publish('a', 'x', { qos: 1 });
  await until(() => finish !== undefined && broker.statistics().messagesStored === 0);
  finish();
});

withBroker('A payload is text, bytes in any view, or what JSON has', async (broker) => {
  const client = await connect(broker);
  const heard = [];
  await client.subscribe('a', (message) => heard.push(message));
  const bytes = Uint8Array.of(0, 1, 2, 3, 4);
  const payloads = ['5', 5, true, null, { a: [1] }, [1, 'x'], new Date(0), bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2), new Uint16Array([258])];
  for (const payload of payloads) await client.publish('a', payload);
  await until(() => heard.length === payloads.length);
  const texts = ['5', '5', 'true', 'null', '{"a":[1]}', '[1,"x"]', '"1970-01-01T00:00:00.000Z"'];
  assert.deepEqual(heard.slice(0, texts.length).map((message) => message.text()), texts);
  assert.deepEqual(heard[4].json(), { a: [1] });
  const views = heard.slice(texts.length).map((message) => [...message.bytes]);
  assert.deepEqual(views, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [1, 2], [2, 1]]);
});

withBroker('A signal ends a subscription, and what is disposed of ends too', async (broker) => {
  const client = await connect(broker);
  const controller = new AbortController();
  const subscription = await client.subscribe(['a', 'b'], { signal: controller.signal });
  const loop = (async () => {
    for await (const message of subscription) assert.fail(message.text());
  })();
  controller.abort();
  await loop;
  await until(() => broker.statistics().subscriptions === 0);
  await assert.rejects(client.subscribe('a', { signal: controller.signal }), { code: 'aborted' });
  assert.equal(broker.statistics().subscriptions, 0);
  const disposed = await client.subscribe('c');
  await disposed[Symbol.asyncDispose]();
  await disposed[Symbol.asyncDispose]();
  assert.equal(broker.statistics().subscriptions, 0);
  await client[Symbol.asyncDispose]();
  assert.equal((await client.ended).cause, 'requested');
});

test('A request that takes too long, or is aborted, is given up, and the client stays', async () => {
  const time = new Time();
  const transport = new RawTransport();
  const connecting = connect(transport, { ...time.options(), keepAlive: 0 });
  await until(() => transport.hear().startsWith('10'));
  transport.say('2003000000');
  const client = await connecting;
  const late = client.publish('a', 'x', { qos: 1, timeout: 1_000 });
  time.pass(999);
  const controller = new AbortController();
  const aborted = client.publish('a', 'y', { qos: 1, signal: controller.signal });
  const subscribing = client.subscribe('a', { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, (error) => error.code === 'aborted' && error.cause.message === 'enough');
  await assert.rejects(subscribing, { code: 'aborted' });
  time.pass(1);
  await assert.rejects(late, { code: 'timeout', message: /"a".*not known/s });
  transport.say('40020001');
  assert.equal(client.status, 'connected', 'an answer that comes too late harms nobody');
  const before = AbortSignal.abort();
  transport.hear();
  await assert.rejects(client.publish('a', 'z', { qos: 1, signal: before }), { code: 'aborted', message: /was not sent/ });
  assert.equal(transport.hear(), '');
  for (const options of [{ timeout: -1 }, { timeout: '1' }, { signal: {} }]) {
    await assert.rejects(client.publish('a', 'x', options), { code: 'invalid-options' });
  }
  await client.end();
});

test('Options that count for nothing, or are out of range, are refused', async () => {
  const broker = await Broker.open();
  for (const [server, options] of [
    [new RawTransport(), { reconnect: {} }],
    [broker, { reconnect: { minimumDelay: 1 } }],
    [broker, { reconnect: true }],
    [broker, { reconnect: { minimumDelayMillis: -1 } }],
    [broker, { credentials: () => ({}), userName: 'a' }],
    [broker, { waitForConnection: 1 }],
    [broker, { password: 5 }],
    [null, {}],
    [5, {}],
    [{}, {}],
    ['', {}],
    ['mqtt://example.org', {}],
  ]) {
    await assert.rejects(connect(server, options), { code: 'invalid-options' });
  }
  await broker.close();
});
