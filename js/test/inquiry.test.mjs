import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Time } from './support.mjs';

/** A test with a broker. */
function using(name, body, options = {}) {
  test(name, async (context) => {
    const broker = await Broker.open(options);
    context.after(() => broker.close());
    await body(broker);
  });
}

const ids = ({ items }) => items.map(({ clientId }) => clientId);

const time = new Time();

using(
  'A host sees its clients, page by page',
  async (broker) => {
    assert.deepEqual(broker.clients(), { items: [] });
    const properties = { sessionExpiryInterval: 60 };
    const ada = await broker.connect({ clientId: 'ada', userName: 'lovelace', keepAlive: 30, properties });
    await ada.subscribe('t', { qos: 1 }, () => {});
    await broker.connect({ clientId: 'bob', protocolVersion: 4, keepAlive: 0 });
    await broker.connect({ clientId: 'carol' });
    const page = broker.clients({ limit: 2 });
    assert.deepEqual([ids(page), page.next], [['ada', 'bob'], 'bob']);
    assert.deepEqual(page.items[0], {
      clientId: 'ada',
      userName: 'lovelace',
      connected: true,
      protocolVersion: 5,
      connectedAt: time.now,
      keepAlive: 30,
      sessionExpiryInterval: 60,
      subscriptions: 1,
      queued: 0,
      inFlight: 0,
    });
    assert.equal(page.items[1].protocolVersion, 4);
    const rest = broker.clients({ after: page.next });
    assert.deepEqual([ids(rest), rest.next], [['carol'], undefined]);
  },
  time.options(),
);

using('A host closes a connection, or ends a session', async (broker) => {
  const ada = await broker.connect({ clientId: 'ada', reconnect: false, properties: { sessionExpiryInterval: 60 } });
  const ended = new Promise((resolve) => ada.on('status', (status, { error }) => status === 'ended' && resolve(error)));
  assert.equal(broker.disconnect('nobody'), false);
  assert.equal(broker.disconnect('ada'), true);
  assert.equal((await ended).reason, 0x98);
  assert.equal(broker.clients().items[0].connected, false);
  assert.equal(broker.disconnect('ada'), false);
  assert.equal(broker.disconnect('ada', { reason: 0x87, endSession: true }), true);
  assert.deepEqual(ids(broker.clients()), []);
  assert.throws(() => broker.disconnect('ada', { reason: 0 }), { code: 'invalid-options' });
  assert.throws(() => broker.disconnect('ada', { endsession: true }), { code: 'invalid-options' });
});

using('A host sees what is retained, page by page, on behalf of somebody or not', async (broker) => {
  const properties = { contentType: 'text/plain', correlationData: Uint8Array.of(1), userProperties: [['a', 'b']] };
  await broker.publish('home/ada/1', 'one', { qos: 2, retain: true, properties });
  await broker.publish('home/ada/2', 'two', { retain: true });
  await broker.publish('home/bob/1', 'no', { retain: true });
  const page = broker.retained('home/#', { limit: 1 });
  assert.deepEqual(page, {
    items: [{ topic: 'home/ada/1', payload: new TextEncoder().encode('one'), qos: 2, properties: { ...properties, subscriptionIdentifiers: [] } }],
    next: 'home/ada/1',
  });
  const topics = ({ items }) => items.map(({ topic }) => topic);
  assert.deepEqual(topics(broker.retained('home/#', { after: page.next })), ['home/ada/2', 'home/bob/1']);
  const ada = { grants: [{ filter: 'home/%u/#' }], userName: 'ada' };
  assert.deepEqual(topics(broker.retained('home/ada/#', ada)), ['home/ada/1', 'home/ada/2']);
  assert.throws(() => broker.retained('home/#', ada), { code: 'refused', reason: 0x87 });
  assert.throws(() => broker.retained('#/a'), { code: 'refused', reason: 0x8f });
  assert.throws(() => broker.retained('#', { grants: [{ filter: 'a/#/b' }] }), { code: 'invalid-topic' });
  assert.throws(() => broker.retained('#', { limit: '1' }), { code: 'invalid-options' });
});

using('A host hears what became of its message', async (broker) => {
  const client = await broker.connect();
  await client.subscribe('home/#', () => {});
  assert.deepEqual(await broker.publish('home/ada', 'x'), { reason: 0 });
  assert.deepEqual(await broker.publish('elsewhere', 'x'), { reason: 0x10 });
  const ada = { grants: [{ filter: 'home/%u', maximumQos: 1, retain: false }], userName: 'ada' };
  assert.deepEqual(await broker.publish('home/ada', 'x', { ...ada, qos: 1 }), { reason: 0 });
  for (const [topic, options, reason] of [
    ['home/ada', { ...ada, qos: 2 }, 0x87],
    ['home/ada', { ...ada, retain: true }, 0x87],
    ['home/bob', ada, 0x87],
    ['home/bob', { grants: [] }, 0x87],
    ['$SYS/x', { userName: 'ada' }, 0x87],
    ['a/+', {}, 0x90],
    ['', {}, 0x90],
  ]) {
    await assert.rejects(broker.publish(topic, 'x', options), { code: 'refused', reason }, topic);
  }
  await assert.rejects(broker.publish('a', 'x', { grants: [{ filter: 1 }] }), { code: 'invalid-options' });
  await assert.rejects(broker.publish('a', new Uint8Array(2_000_000)), { code: 'refused', reason: 0x95 });
});

using('A host that has moved sends its clients there, and goes on', async (broker) => {
  for (const [permanent, reason] of [[false, 0x9c], [true, 0x9d]]) {
    const ada = await broker.connect({ clientId: 'ada', reconnect: false });
    await broker.move('wss://example.org/mqtt', { permanent });
    const { reason: heard, serverReference } = await ada.ended;
    assert.deepEqual([heard, serverReference], [reason, 'wss://example.org/mqtt']);
  }
  await assert.rejects(broker.move(1), { code: 'invalid-options' });
  await assert.rejects(broker.move('wss://example.org', { forever: true }), { code: 'invalid-options' });
});
