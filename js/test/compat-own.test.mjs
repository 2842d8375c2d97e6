// What mqlite/compat does on its own account: where it differs from MQTT.js, and what it refuses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import mqtt, * as names from 'mqlite/compat';
import { settled, withBroker } from './support.mjs';

/** A client over a connection within this program. */
function client(broker, options = {}) {
  return mqtt.connect('ws://in-this-program', { createWebsocket: () => broker.webSocket(), ...options });
}

withBroker('It connects to a broker in this program, by a WebSocket of the broker', async (broker) => {
  const one = await mqtt.connectAsync('ws://in-this-program', { createWebsocket: () => broker.webSocket() });
  await one.subscribeAsync('a/#');
  const heard = once(one, 'message');
  one.publish('a/b', 'hello');
  const [topic, payload] = await heard;
  assert.deepEqual([topic, `${payload}`], ['a/b', 'hello']);
  await one.endAsync();
});

withBroker('A payload reads as text, as JSON and as a number, and is a Uint8Array', async (broker) => {
  const one = client(broker);
  await one.subscribeAsync('a');
  one.publish('a', '{"ä": 1}').publish('a', '21.5').publish('a', '\ufeffx').publish('a', new Uint8Array([0, 255, 250]));
  const payloads = [];
  one.on('message', (_topic, payload) => payloads.push(payload));
  while (payloads.length < 4) await settled();
  const [json, number, marked, bytes] = payloads;
  assert.ok(json instanceof Uint8Array && !(json instanceof Buffer));
  assert.deepEqual(JSON.parse(json), { ä: 1 });
  assert.equal(Number(number), 21.5);
  assert.equal(`${marked}`, '\ufeffx', 'a byte order mark is part of the text');
  assert.deepEqual(['hex', 'base64', 'base64url', 'latin1'].map((name) => bytes.toString(name)), ['00fffa', 'AP/6', 'AP_6', '\0ÿú']);
  assert.equal(json.toString('utf8', 2, 4), 'ä');
  assert.deepEqual(JSON.stringify(number), JSON.stringify(Buffer.from('21.5')));
  assert.ok(bytes.equals(Uint8Array.of(0, 255, 250)) && !bytes.equals(number));
  assert.throws(() => bytes.toString('utf16le'), TypeError);
  await one.endAsync();
});

test('An option that would change what happens is refused by its name, others are taken', () => {
  for (const [name, value] of [
    ['ca', 'x'],
    ['key', 'x'],
    ['rejectUnauthorized', false],
    ['incomingStore', {}],
    ['outgoingStore', {}],
    ['customHandleAcks', () => {}],
    ['messageIdProvider', {}],
    ['socksProxy', 'socks5://127.0.0.1'],
    ['wsOptions', { headers: {} }],
    ['protocolVersion', 3],
    ['protocolId', 'MQIsdp'],
    ['authPacket', {}],
    ['keepAlive', 5],
  ]) {
    assert.throws(() => mqtt.connect('ws://127.0.0.1', { manualConnect: true, [name]: value }), (error) => {
      assert.equal(error.code, 'invalid-options');
      assert.match(error.message, new RegExp(`\\b${name}\\b`));
      return true;
    });
  }
  const harmless = { reschedulePings: true, writeCache: false, timerVariant: 'native', log: () => {}, wsOptions: {} };
  mqtt.connect('ws://127.0.0.1', { manualConnect: true, ...harmless, rejectUnauthorized: true, password: undefined, username: null });
});

test('An address of another protocol is refused at once', () => {
  for (const address of ['mqtt://127.0.0.1', 'mqtts://127.0.0.1', 'tcp://127.0.0.1', 'gopher://127.0.0.1', 'nonsense']) {
    assert.throws(() => mqtt.connect(address), { code: 'invalid-options' });
  }
  assert.throws(() => mqtt.connect({ host: '127.0.0.1' }), /"mqtt" is not covered/);
});

test('An event that would never be told is refused', () => {
  const one = mqtt.connect('ws://127.0.0.1', { manualConnect: true });
  assert.throws(() => one.on('outgoingEmpty', () => {}), { code: 'unsupported' });
});

withBroker('What cannot be subscribed to or published is told, and the connection stays', async (broker) => {
  const one = client(broker, { protocolVersion: 5 });
  let closed = 0;
  one.on('close', () => (closed += 1));
  await assert.rejects(one.subscribeAsync(''), { code: 'invalid-topic' });
  await assert.rejects(one.unsubscribeAsync('a/#/b'), { code: 'invalid-topic' });
  await assert.rejects(one.publishAsync('a/+', 'x'), { code: 'invalid-topic' });
  await assert.rejects(one.publishAsync('a', 'x', { qos: 3 }), { code: 'invalid-options' });
  await assert.rejects(one.subscribeAsync('a', { properties: { subscriptionIdentifier: 1 } }), /subscriptionIdentifier/);
  await assert.rejects(one.unsubscribeAsync('a', { properties: {} }), /UNSUBSCRIBE/);
  assert.throws(() => one.end(false, { properties: { reasonString: 'x' } }), /reasonString/);
  await one.publishAsync('a', 'x', { qos: 1 });
  assert.equal(closed, 0);
  await one.endAsync();
});

withBroker('An end while it connects leaves nothing open, and every callback is called', async (broker) => {
  const one = client(broker);
  const told = [];
  for (const event of ['connect', 'close', 'end']) one.on(event, () => told.push(event));
  const outcomes = [0, 1].map((qos) => one.publishAsync('a', 'x', { qos }).catch(({ code }) => code));
  await one.endAsync();
  assert.deepEqual(await Promise.all(outcomes), ['closed', 'closed']);
  await settled();
  assert.ok(!told.includes('connect'));
  assert.equal(broker.statistics().clientsConnected, 0);
});

withBroker('An end that waits for an acknowledgement ends when the connection does', async (broker) => {
  let socket;
  const one = client(broker, { createWebsocket: () => (socket = broker.webSocket()) });
  await once(one, 'connect');
  const told = [];
  for (const event of ['close', 'end']) one.on(event, () => told.push(event));
  const published = one.publishAsync('a', 'x', { qos: 1 });
  const ended = one.endAsync();
  socket.close();
  await assert.rejects(published, { code: 'closed' });
  await ended;
  assert.deepEqual(told, ['close', 'end']);
});

withBroker('A reconnect while it ends comes after the end', async (broker) => {
  const one = client(broker);
  await once(one, 'connect');
  one.end();
  one.reconnect();
  await once(one, 'end');
  await once(one, 'connect');
  one.reconnect();
  await once(one, 'end');
  await once(one, 'connect');
  await one.endAsync();
});

test('What no attempt could mend is told once', async () => {
  const one = mqtt.connect(new URL('ws://127.0.0.1:1'), { keepalive: 70_000, reconnectPeriod: 1 });
  const told = [];
  one.on('error', ({ code }) => told.push(code)).on('reconnect', () => told.push('reconnect'));
  await new Promise((resolve) => one.on('close', resolve));
  await settled();
  assert.deepEqual(told, ['invalid-options']);
  await one.endAsync();
});

withBroker('A refused message is told with its Reason Code', async (broker) => {
  const one = client(broker, { protocolVersion: 5 });
  await assert.rejects(one.publishAsync('secret', 'x', { qos: 1 }), (error) => {
    return error instanceof names.ErrorWithReasonCode && error.code === 0x87;
  });
  await one.endAsync();
}, { grants: [{ filter: 'open/#' }] });

withBroker('The Keep Alive that the server imposes is the one that is told', async (broker) => {
  const one = client(broker, { protocolVersion: 5, keepalive: 30 });
  assert.equal(one.keepalive, 30);
  await once(one, 'connect');
  assert.deepEqual([one.keepalive, one.serverProperties.serverKeepAlive, one.options.keepalive], [7, 7, 30]);
  await one.endAsync();
  assert.deepEqual([one.keepalive, one.serverProperties], [30, undefined]);
}, { serverKeepAliveSeconds: 7 });

withBroker('A server that refuses is asked again with reconnectOnConnackError', async (broker) => {
  const one = client(broker, { reconnectPeriod: 10, reconnectOnConnackError: true });
  const codes = [];
  one.on('error', ({ code }) => codes.push(code));
  while (codes.length < 3) await settled();
  assert.deepEqual(codes.slice(0, 3), [5, 5, 5]);
  await one.endAsync(true);
}, { authenticate: () => ({ type: 'deny', reason: 0x87 }) });

withBroker('Messages of QoS 2 are neither lost nor doubled when the connection is cut, in a session that is kept', async (broker) => {
  let socket;
  const createWebsocket = () => (socket = broker.webSocket());
  const kept = { clientId: 'sender', clean: false, protocolVersion: 5, properties: { sessionExpiryInterval: 60 } };
  const sender = client(broker, { ...kept, reconnectPeriod: 1, createWebsocket });
  const heard = [];
  const receiver = await mqtt.connectAsync('ws://in-this-program', { createWebsocket: () => broker.webSocket() });
  await receiver.subscribeAsync('a', { qos: 2 });
  receiver.on('message', (_topic, payload) => heard.push(Number(payload)));
  const sent = [];
  for (let number = 0; number < 100; number += 1) {
    sent.push(sender.publishAsync('a', String(number), { qos: 2 }));
    if (number % 10 === 5) {
      await settled();
      socket.close();
    }
  }
  await Promise.all(sent);
  while (heard.length < 100) await settled();
  assert.deepEqual(heard.toSorted((one, other) => one - other), Array.from({ length: 100 }, (_, number) => number));
  await sender.endAsync();
  await receiver.endAsync();
});

test('The error of nobody is thrown, and what a listener throws leaves the client as it is', () => {
  const one = mqtt.connect('ws://127.0.0.1', { manualConnect: true });
  assert.throws(() => one.emit('error', new Error('mine')), /mine/);
  one.on('connect', () => {
    throw new Error('a listener');
  });
  assert.throws(() => one.emit('connect', {}), /a listener/);
  assert.throws(() => one.on('connect', undefined), TypeError);
});
