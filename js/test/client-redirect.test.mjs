// A server that sends its clients elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'mqlite/broker';
import { RawTransport, source, until, withBroker } from './support.mjs';

const { followReference } = await source('redirect.ts');

test('A reference is followed where it makes an address, and never from wss to ws', () => {
  for (const [reference, from, to] of [
    ['other.example', 'wss://a.example:8084/mqtt?x=1', 'wss://other.example:8084/mqtt?x=1'],
    ['other.example:443', 'wss://a.example:8084/mqtt', 'wss://other.example/mqtt'],
    ['[::1]:9001', 'ws://127.0.0.1/mqtt', 'ws://[::1]:9001/mqtt'],
    ['wss://other.example/here', 'ws://a.example/mqtt', 'wss://other.example/here'],
    ['ws://other.example', 'ws://a.example/mqtt', 'ws://other.example/'],
    ['ws://other.example', 'wss://a.example/mqtt', undefined],
    ['ws://other.example b.example', 'wss://a.example/mqtt', 'wss://b.example/mqtt'],
    ['mqtts://other.example:8883', 'wss://a.example/mqtt', undefined],
    ['http://other.example', 'wss://a.example/mqtt', undefined],
    ['other.example/path', 'wss://a.example/mqtt', undefined],
    ['user@other.example', 'wss://a.example/mqtt', undefined],
    ['other.example:99999', 'wss://a.example/mqtt', undefined],
    ['256.1.1.1', 'wss://a.example/mqtt', undefined],
    ['', 'wss://a.example/mqtt', undefined],
    ['other.example', undefined, undefined],
  ]) {
    const followed = followReference(reference, from && new URL(from));
    assert.equal(followed?.href, to, `${reference} from ${from}`);
  }
});

const string = (text) => Buffer.concat([Buffer.of(text.length >> 8, text.length & 255), Buffer.from(text)]);

/** A CONNACK or DISCONNECT with this Reason Code and Server Reference. */
function packet(type, reason, reference) {
  const property = Buffer.concat([Buffer.of(0x1c), string(reference)]);
  const rest = Buffer.concat([Buffer.from(type === 0x20 ? [0, reason] : [reason]), Buffer.of(property.length), property]);
  return Buffer.concat([Buffer.of(type, rest.length), rest]).toString('hex');
}

const CONNACK = 0x20;
const DISCONNECT = 0xe0;

/** Servers by host: each says one thing to whoever connects, or is the broker. */
function network(context, servers) {
  const tried = [];
  const open = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  Object.defineProperty(globalThis, 'WebSocket', {
    configurable: true,
    value: function (address) {
      tried.push(address.href);
      return servers[address.host]();
    },
  });
  context.after(() => (open ? Object.defineProperty(globalThis, 'WebSocket', open) : delete globalThis.WebSocket));
  return tried;
}

const says = (...packets) => () => {
  const transport = new RawTransport();
  transport.send = () => packets.splice(0).forEach((hex) => setTimeout(() => transport.say(hex)));
  return transport;
};

withBroker('A client goes where it is sent, for once or for good', async (broker, context) => {
  for (const [reason, last] of [[0x9c, 'wss://a.test/mqtt'], [0x9d, 'wss://b.test/mqtt']]) {
    let socket;
    const there = () => (socket = broker.webSocket());
    const a = [says(packet(CONNACK, reason, 'b.test')), there];
    const tried = network(context, { 'a.test': () => a.shift()(), 'b.test': there });
    const client = await connect('wss://a.test/mqtt', { reconnect: { maximumDelayMillis: 1 } });
    assert.deepEqual(tried, ['wss://a.test/mqtt', 'wss://b.test/mqtt']);
    socket.close();
    await until(() => tried.length === 3);
    assert.equal(tried[2], last);
    await until(() => client.status === 'connected');
    await client.end();
  }
});

withBroker('A client that is sent away while it is connected goes too', async (broker, context) => {
  const tried = network(context, {
    'a.test': () => says('2003000000', packet(DISCONNECT, 0x9c, 'b.test:8084'))(),
    'b.test:8084': () => broker.webSocket(),
  });
  const client = await connect('wss://a.test/mqtt');
  await until(() => tried.length === 2 && client.status === 'connected');
  assert.equal(tried[1], 'wss://b.test:8084/mqtt');
  await client.end();
  const once = await connect('wss://a.test/mqtt', { reconnect: false });
  assert.deepEqual([(await once.ended).serverReference, tried.length], ['b.test:8084', 3], 'it says where it was sent, and ends');
});

test('Servers that send a client round in a circle are left after five', async (context) => {
  const tried = network(context, {
    'a.test': () => says(packet(CONNACK, 0x9c, 'b.test'))(),
    'b.test': () => says(packet(CONNACK, 0x9c, 'a.test'))(),
  });
  await assert.rejects(connect('wss://a.test/mqtt'), { code: 'refused', reason: 0x9c, hint: /b\.test|a\.test/ });
  assert.equal(tried.length, 6);
});

withBroker('The option decides where a reference leads, or that it leads nowhere', async (broker, context) => {
  const tried = network(context, { 'a.test': () => says(packet(CONNACK, 0x9d, 'elsewhere'))() });
  await assert.rejects(connect('ws://a.test/', { redirect: false }), { reason: 0x9d });
  await assert.rejects(connect('ws://a.test/', { redirect: () => undefined }), { reason: 0x9d });
  await assert.rejects(connect('ws://a.test/', { redirect: () => { throw new Error('no'); } }), { code: 'handler-failed' });
  assert.equal(tried.length, 3);
  const asked = [];
  const client = await connect('ws://a.test/', {
    redirect: async (reference, from) => {
      asked.push([reference, from.href]);
      return broker;
    },
  });
  assert.deepEqual([asked, client.status], [[['elsewhere', 'ws://a.test/']], 'connected']);
  await client.end();
  await assert.rejects(connect(broker, { redirect: true }), { code: 'invalid-options' });
});

test('A reference from a server without an address is not followed', async () => {
  await assert.rejects(connect(says(packet(CONNACK, 0x9c, 'b.test'))()), { code: 'refused', reason: 0x9c, hint: /b\.test/ });
});
