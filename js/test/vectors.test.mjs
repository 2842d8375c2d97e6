// The packets of tests/vectors, given to a broker and to a client in the way that the network would.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { RawTransport, rawClient, settled, withBroker } from './support.mjs';

const folder = new URL('../../tests/vectors/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'access.json');
const vectors = files.flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

const versionOf = (vector) => (vector.version === '5' ? 5 : 4);
const title = (vector) => `${vector.name} (${vector.version})`;
const isConnect = (vector) => vector.hex.startsWith('1');
const ofType = (type) => vectors.filter(({ packet }) => packet?.type === type);

/** The Reason Code of a DISCONNECT. */
const disconnected = (hex) => /^e0..(..)/.exec(hex)?.[1];

/** A client of ours whose server is the test, connected. */
async function clientOfTest(version, hex, options = {}) {
  const transport = new RawTransport();
  const connecting = connect(transport, { protocolVersion: version, clientId: 'a', ...options });
  connecting.catch(() => {});
  await new Promise(setImmediate);
  transport.hear();
  transport.say(hex ?? (version === 5 ? '2003000000' : '20020000'));
  return { transport, connecting };
}

test('There are vectors of every kind of packet', () => {
  assert.equal(new Set(vectors.map(({ packet }) => packet?.type)).size, 16);
});

withBroker('A broker and a client answer each bad packet with its Reason Code', async (broker) => {
  for (const vector of vectors.filter(({ error }) => error)) {
    const version = versionOf(vector);
    if (isConnect(vector)) {
      const transport = new RawTransport();
      broker.accept(transport);
      transport.say(vector.hex);
      const heard = transport.hear();
      // A CONNACK names the reason where the version is known and has a way to say it; in 3.1.1 few errors have.
      const level = vector.hex.replaceAll(' ', '').slice(16, 18);
      if (heard !== '') assert.ok([vector.error.slice(2), '01', '02'].includes(heard.slice(6, 8)), `${title(vector)}: ${heard}`);
      else assert.ok(level !== '05' || vector.error === '0x81' || vector.error === '0x95', `${title(vector)} was not answered`);
      assert.ok(transport.closed, title(vector));
      continue;
    }
    const { transport: ofClient, connecting } = await clientOfTest(version);
    await connecting;
    for (const transport of [rawClient(broker, version), ofClient]) {
      transport.say(vector.hex);
      const heard = transport.hear();
      if (version === 5) assert.equal(disconnected(heard), vector.error.slice(2), title(vector));
      else assert.equal(heard, '', title(vector));
      assert.ok(transport.closed, title(vector));
    }
  }
});

withBroker('A broker and a client understand each good packet, whether or not they expected it', async (broker) => {
  for (const vector of vectors.filter(({ packet }) => packet)) {
    const version = versionOf(vector);
    if (isConnect(vector)) continue;
    const { transport: ofClient, connecting } = await clientOfTest(version);
    await connecting;
    for (const transport of [rawClient(broker, version), ofClient]) {
      transport.say(vector.hex);
      const heard = transport.hear();
      assert.notEqual(disconnected(heard), '81', title(vector));
      // In 3.1.1 nothing says why a connection is closed, so only what every peer must take shows anything.
      if (version === 4 && ['PINGREQ', 'SUBSCRIBE', 'UNSUBSCRIBE'].includes(vector.packet.type) && transport !== ofClient) {
        assert.notEqual(heard, '', title(vector));
      }
    }
  }
});

test('A broker reads of a CONNECT who it is', async (context) => {
  const asked = [];
  const authenticate = (request) => {
    asked.push(request);
    return { type: 'deny', reason: 0x87 };
  };
  const broker = await Broker.open({ authenticate });
  context.after(() => broker.close());
  const hex = (bytes) => bytes && Buffer.from(bytes).toString('hex');
  for (const vector of ofType('CONNECT')) {
    const transport = new RawTransport();
    broker.accept(transport);
    transport.say(vector.hex);
    await settled();
    const { packet } = vector;
    const request = asked.pop();
    if (!request) {
      assert.equal(packet.clientId, '', title(vector)); // refused before: a session to keep needs an identifier
      continue;
    }
    if (packet.clientId !== '') assert.equal(request.clientId, packet.clientId, title(vector));
    assert.equal(request.userName, packet.userName, title(vector));
    assert.equal(hex(request.password), packet.password, title(vector));
    assert.equal(request.method, packet.properties?.authenticationMethod, title(vector));
    assert.equal(hex(request.data), packet.properties?.authenticationData, title(vector));
  }
});

test('A client reads of a CONNACK what the server said', async () => {
  for (const vector of ofType('CONNACK')) {
    const { packet } = vector;
    const method = packet.properties?.authenticationMethod;
    const authentication = method && { method, begin: () => undefined, respond: (challenge) => challenge };
    const options = { cleanStart: false, authentication };
    const { connecting } = await clientOfTest(versionOf(vector), vector.hex, options);
    const reason = Number(packet.reason);
    if (reason > 0) {
      await assert.rejects(connecting, { code: 'refused', reason }, title(vector));
      continue;
    }
    const client = await connecting;
    assert.equal(client.sessionPresent, packet.sessionPresent, title(vector));
    assert.deepEqual(asVector(client.server), packet.properties ?? {}, title(vector));
  }
});

test('A client delivers a PUBLISH as it is', async () => {
  for (const vector of ofType('PUBLISH').filter(({ packet }) => packet.topic !== '')) {
    const { packet } = vector;
    const heard = [];
    const { transport, connecting } = await clientOfTest(versionOf(vector), undefined, { onMessage: (message) => heard.push(message) });
    await connecting;
    transport.say(vector.hex);
    await settled();
    const refused = packet.properties?.topicAlias > 64 ? '94' : /[+#]/.test(packet.topic) ? '90' : undefined;
    if (refused) {
      assert.equal(disconnected(transport.hear()), refused, title(vector)); // well formed, but above our limit or no topic
      continue;
    }
    assert.equal(heard.length, 1, title(vector));
    const [{ topic, payload, qos, retain, dup, properties }] = heard;
    const { topicAlias: _, subscriptionIdentifiers, ...kept } = packet.properties ?? {};
    const { topicAlias: __, ...delivered } = asVector(properties);
    const ours = 2 ** 27; // and above: the client's own names for its subscriptions
    if (subscriptionIdentifiers) kept.subscriptionIdentifiers = subscriptionIdentifiers.filter((number) => number < ours);
    assert.deepEqual(
      { topic, payload: Buffer.from(payload).toString('hex'), qos, retain, dup, properties: delivered },
      { topic: packet.topic, payload: packet.payload, qos: packet.qos, retain: packet.retain, dup: packet.dup, properties: kept },
      title(vector),
    );
  }
});

/** Properties as the vectors write them: bytes as hexadecimal digits. */
function asVector(properties) {
  const entries = Object.entries(properties);
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value]));
}
