// What `client.on('packet')` tells.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'mqlite/broker';
import { testBroker } from 'mqlite/testing';
import { RawTransport, settled, until, withBroker } from './support.mjs';

withBroker('A client tells of each packet, from its CONNECT on', async (broker) => {
  const lines = [];
  const options = { clientId: 'a', userName: 'alice', password: 'hunter2', waitForConnection: false, reconnect: false };
  const client = await connect(broker, options);
  client.on('packet', ({ direction, text }) => lines.push(`${direction} ${text.replace(/ \{.*\}$/, '')}`));
  await client.subscribe('a/b', { qos: 1 }, () => {});
  await client.publish('a/b', 'hi', { qos: 1 });
  await until(() => lines.length === 8);
  await client.end();
  await until(() => lines.at(-1)?.startsWith('sent DISCONNECT'));
  assert.deepEqual(lines, [
    'sent CONNECT MQTT 5.0, client "a", clean start, keep alive 120 s, user name "alice", password (7 bytes)',
    'received CONNACK 0x00 Success',
    'sent SUBSCRIBE #1 "a/b" QoS 1',
    'received SUBACK #1 0x01 Granted QoS 1',
    'sent PUBLISH #2 "a/b", QoS 1, "hi"',
    ...lines.slice(5, 8),
    'sent DISCONNECT 0x00 Normal disconnection',
  ]);
  // The answer and the message may come in either order.
  assert.deepEqual(lines.slice(5, 8).sort(), [
    'received PUBACK #2 0x00 Success',
    'received PUBLISH #1 "a/b", QoS 1, "hi"',
    'sent PUBACK #1 0x00 Success',
  ]);
});

test('Who listens later, or no more, hears whole packets alone, with their bytes', async () => {
  const transport = new RawTransport();
  const connecting = connect(transport, { protocolVersion: 4, clientId: 'a', reconnect: false });
  connecting.catch(() => {});
  await until(() => transport.hear() !== '');
  transport.say('20020000 3006000174');
  const client = await connecting;
  const heard = [];
  const leave = client.on('packet', (packet) => heard.push(packet));
  transport.say('616263 3003000174');
  await until(() => heard.length === 1);
  const [{ direction, type, text, bytes }] = heard;
  assert.deepEqual({ direction, type, text }, { direction: 'received', type: 'PUBLISH', text: 'PUBLISH "t", QoS 0, (empty)' });
  assert.deepEqual(Buffer.from(bytes).toString('hex'), '3003000174');
  leave();
  transport.say('3003000174');
  await settled();
  assert.equal(heard.length, 1);
  await client.end();
});

test('A connection that is cut in the midst of a packet leaves nothing to the next', async (context) => {
  const t = await testBroker();
  context.after(() => t.close());
  const client = await t.connect({ clientId: 'a' });
  await client.subscribe('t', { qos: 1 }, () => {});
  const heard = [];
  client.on('packet', ({ direction, type }) => direction === 'received' && heard.push(type));
  t.cut({ type: 'PUBLISH', direction: 'received' }, { where: 'middle', times: 1 });
  await t.broker.publish('t', 'x', { qos: 1 });
  await t.clock.advance(1_000);
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ['CONNACK', 'PUBLISH']);
});

withBroker('A listener that fails is reported, and disturbs nobody', async (broker) => {
  const client = await connect(broker);
  const errors = [];
  client.on('error', ({ code }) => errors.push(code));
  client.on('packet', ({ type }) => {
    throw new Error(type);
  });
  await client.publish('t', 'x', { qos: 1 });
  await until(() => errors.length === 2); // of the PUBLISH and its PUBACK
  assert.deepEqual(errors, ['handler-failed', 'handler-failed']);
  await client.end();
});
