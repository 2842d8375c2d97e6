import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Time } from './support.mjs';

test('A client that is watched is told of packet by packet until the time is over, and never what is in them', async () => {
  const time = new Time();
  const told = [];
  const onEvent = (event) => event.type === 'packet' && told.push(event);
  const broker = await Broker.open({ onEvent, ...time.options() });
  const until = time.now + 60_000;
  await broker.trace('ada', { until });
  const client = await broker.connect({ clientId: 'ada', userName: 'lovelace', password: 'secret' });
  await client.publish('a/b', 'payload', { qos: 1, retain: true });
  const other = await broker.connect({ clientId: 'bob' });
  await other.publish('a/b', 'payload', { qos: 1 });
  const { connection, bytes, ...publish } = told[2];
  assert.deepEqual(told.map(({ direction, packet }) => [direction, packet]), [
    ['received', 'CONNECT'],
    ['sent', 'CONNACK'],
    ['received', 'PUBLISH'],
    ['sent', 'PUBACK'],
  ]);
  const present = Object.fromEntries(Object.entries(publish).filter(([, value]) => value !== undefined));
  assert.deepEqual(present, {
    type: 'packet', clientId: 'ada', direction: 'received', packet: 'PUBLISH', packetId: 1, topic: 'a/b', qos: 1, retain: true, dup: false,
  });
  assert.ok(bytes > 'a/bpayload'.length && connection > 0);
  assert.equal(told[3].reasonCode, 0x10);
  assert.doesNotMatch(JSON.stringify(told), /secret|lovelace|payload/);
  time.pass(60_000);
  await client.publish('a/b', 'payload', { qos: 1 });
  assert.equal(told.length, 4);
  await broker.trace('ada', { until: time.now + 1_000 });
  await broker.trace('ada', { until: 0 });
  await client.publish('a/b', 'payload', { qos: 1 });
  assert.equal(told.length, 4);
  await assert.rejects(broker.trace('ada', { until: 'tomorrow' }), { code: 'invalid-options' });
  await broker.close();
});
