// What a client keeps in a storage, and how another client goes on from there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, MqttError } from 'mqlite/broker';
import { Memory, Slow } from './storages.mjs';
import { ScriptedServer } from './scripted-server.mjs';
import { RawTransport, settled, until, withBroker } from './support.mjs';

const AWAY = () => Promise.reject(new Error('away'));

/** A storage of a program that ends without a word: what it does from then on reaches nobody. */
class Mortal {
  #storage;
  isDead = false;

  constructor(storage) {
    this.#storage = storage;
  }

  load() {
    return this.#storage.load();
  }

  commit(changes) {
    return this.isDead ? new Promise(() => {}) : this.#storage.commit(changes);
  }
}

/** A client that can be killed, and its connection with it. */
async function mortal(broker, storage, options = {}) {
  const own = new Mortal(storage);
  let socket;
  const client = await connect(() => (socket = broker.webSocket()), { clientId: 'c', outbox: { storage: own }, ...options });
  const kill = () => {
    own.isDead = true;
    socket.close();
    client.end().catch(() => {});
  };
  return { client, kill, cut: () => socket.close() };
}

withBroker('What waited for a connection is published by the next client with the storage', async (broker) => {
  const storage = new Memory();
  const heard = [];
  const listener = await connect(broker);
  await listener.subscribe('a', { qos: 2 }, (message) => heard.push([message.text(), message.properties.contentType]));
  const own = new Mortal(storage);
  const offline = await connect(AWAY, { clientId: 'c', waitForConnection: false, outbox: { storage: own } });
  const properties = { contentType: 'text/plain' };
  for (const qos of [0, 1, 2]) offline.publish('a', `${qos}`, { qos, properties }).catch(() => {});
  own.isDead = true;
  offline.end();
  const next = await connect(broker, { clientId: 'c', outbox: { storage } });
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [0, 1, 2].map((qos) => [`${qos}`, 'text/plain']));
  await next.publish('a', 'last', { qos: 2 });
  await until(() => heard.length === 4);
  await next.end();
  assert.equal(storage.closed, 1);
});

for (const outbox of [undefined, { storage: new Memory() }]) {
  test(`What a handler publishes leaves before the messages that it took are acknowledged, ${outbox ? 'with' : 'without'} a storage`, async () => {
    const [client, connection] = await new ScriptedServer().connect({}, { clientId: 'c', outbox });
    const relay = (message) => void (message.text() === 'a' || client.publish('out', message.payload, { qos: 1 }).catch(() => {}));
    const subscribing = client.subscribe('in', { qos: 1 }, relay);
    await connection.grant(1);
    await subscribing;
    const came = ['a', 'b', 'c'].map((payload, index) => ({ cmd: 'publish', topic: 'in', payload, qos: 1, messageId: index + 1 }));
    connection.sayAtOnce(...came);
    const heard = [];
    while (heard.length < 5) {
      const { cmd, payload, messageId } = await connection.hearAny();
      if (cmd === 'publish') connection.say({ cmd: 'puback', messageId });
      heard.push(cmd === 'publish' ? `${payload} is published` : `${came[messageId - 1].payload} is acknowledged`);
    }
    assert.deepEqual(heard.toSorted(), ['a is acknowledged', 'b is acknowledged', 'b is published', 'c is acknowledged', 'c is published']);
    for (const name of ['b', 'c']) assert(heard.indexOf(`${name} is published`) < heard.indexOf(`${name} is acknowledged`), heard.join(', '));
    await client.end();
  });
}

withBroker('Each QoS 2 message arrives once, however often the program and the connection end', async (broker) => {
  const storage = new Memory();
  const heard = [];
  const listener = await connect(broker);
  await listener.subscribe('a', { qos: 2 }, (message) => heard.push(message.text()));
  const sent = [];
  for (let round = 0; round < 40; round += 1) {
    const { client, kill, cut } = await mortal(broker, storage);
    for (let count = 0; count < 5; count += 1) {
      sent.push(`${round}.${count}`);
      client.publish('a', sent.at(-1), { qos: 2 }).catch(() => {});
    }
    // Each round ends a little later than the one before.
    for (let turns = 0; turns < round; turns += 1) await null;
    if (round % 3 === 0) {
      cut();
      await settled();
    }
    kill();
  }
  const last = await connect(broker, { clientId: 'c', outbox: { storage } });
  await until(() => heard.length >= sent.length);
  await settled();
  assert.deepEqual([...heard].sort(), [...sent].sort());
  assert.deepEqual(heard.filter((text) => text.endsWith('.0')), sent.filter((text) => text.endsWith('.0')), 'in order');
  await last.end();
});

withBroker('A QoS 2 message that was taken over does not come again after a reload', async (broker) => {
  const storage = new Memory();
  const heard = [];
  const options = { onMessage: (message) => void heard.push(message.text()) };
  const first = await mortal(broker, storage, options);
  await first.client.subscribe('a', { qos: 2 }, options.onMessage);
  for (let count = 0; count < 20; count += 1) {
    await broker.publish('a', `${count}`, { qos: 2 });
    if (count % 5 === 4) {
      for (let turns = 0; turns < count; turns += 1) await null;
      first.kill();
      first.kill = (await mortal(broker, storage, options)).kill;
    }
  }
  await until(() => new Set(heard).size === 20);
  await settled();
  first.kill();
  const again = heard.filter((text, at) => heard.indexOf(text) !== at);
  // A handler that ran when the program ended may run again: it was not done.
  assert.ok(again.length <= 4, again.join());
});

withBroker('The session outlives the client, and with it the identifier that the server assigned', async (broker) => {
  const storage = new Memory();
  const first = await connect(broker, { outbox: { storage } });
  assert.equal(first.server.sessionExpiryInterval ?? 86_400, 86_400);
  await first.end();
  assert.equal(broker.statistics().sessions, 1);
  const second = await connect(broker, { outbox: { storage } });
  assert.deepEqual([second.clientId, second.sessionPresent], [first.clientId, true]);
  await second.end({ sessionExpiryInterval: 0 });
  await until(() => broker.statistics().sessions === 0);
});

test('Nothing is sent before what it depends on is durable, and the end waits for that too', async () => {
  const storage = new Slow();
  const transport = new RawTransport();
  const connecting = connect(transport, { clientId: 'c', outbox: { storage } });
  let isOver = false;
  void (async () => {
    while (!isOver) {
      if (transport.isEager) storage.pending.splice(0).forEach(({ resolve }) => resolve());
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  transport.isEager = true;
  await until(() => transport.hear().startsWith('10'));
  transport.say('2003000000');
  const client = await connecting;
  await settled();
  transport.isEager = false;
  transport.hear();
  const published = client.publish('a', 'x', { qos: 1 });
  await settled();
  assert.deepEqual([transport.hear(), storage.pending.length], ['', 1]);
  storage.finish();
  await until(() => transport.hear().startsWith('32'));
  transport.say('40020001');
  await published;
  let isEnded = false;
  const ending = client.end().then(() => (isEnded = true));
  await settled();
  assert.deepEqual([isEnded, transport.closed, storage.closed], [false, false, 0], 'that the message is done is on its way');
  transport.isEager = true;
  await ending;
  await client.ended;
  isOver = true;
  assert.ok(transport.hear().startsWith('e0'));
  assert.deepEqual([transport.closed, storage.closed], [true, 1]);
});

withBroker('A storage that fails ends the client, and says so', async (broker) => {
  const storage = new Memory();
  const client = await connect(broker, { clientId: 'c', outbox: { storage } });
  const statuses = [];
  client.on('status', (status, { error }) => statuses.push([status, error?.code]));
  storage.commit = () => Promise.reject(new MqttError('storage-full', 'There is no room.'));
  await assert.rejects(client.publish('a', 'x', { qos: 1 }), { code: 'interrupted' });
  assert.equal((await client.ended).message, 'There is no room.');
  await assert.rejects(client.publish('a', 'x', { qos: 1 }), { code: 'storage-full' });
  assert.deepEqual([statuses, storage.closed, broker.statistics().messagesReceived], [[['ended', 'storage-full']], 1, 0]);

  const unreadable = new Memory();
  unreadable.load = () => Promise.reject(new Error('bad sector'));
  await assert.rejects(connect(broker, { outbox: { storage: unreadable } }), { code: 'storage-failed' });
  const strange = new Memory();
  strange.load = () => [{ key: 'k', value: 'v' }];
  await assert.rejects(connect(broker, { outbox: { storage: strange } }), { code: 'storage-failed' });
  assert.deepEqual([unreadable.closed, strange.closed], [1, 1]);
  await assert.rejects(connect(broker, { outbox: { storage: {} } }), { code: 'invalid-options' });
});

withBroker('What the storage could not take is refused, and the client stays', async (broker) => {
  const storage = Object.assign(new Memory(), { maximumValueBytes: 1 << 18 });
  const client = await connect(broker, { clientId: 'c', outbox: { storage } });
  await client.publish('a', new Uint8Array(1 << 17), { qos: 1 });
  await assert.rejects(client.publish('a', new Uint8Array((1 << 17) + 1), { qos: 1 }), { code: 'packet-too-large' });
  await assert.rejects(client.request('a', new Uint8Array((1 << 17) + 1)), { code: 'packet-too-large' });
  assert.equal(client.status, 'connected');
  await client.end();
});

withBroker('A record that cannot be read is reported, and left where it is', async (broker, context) => {
  const complaint = context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  storage.commit([{ key: Uint8Array.of(255), value: Uint8Array.of(1) }]);
  const client = await connect(broker, { clientId: 'c', outbox: { storage } });
  assert.deepEqual(complaint.mock.calls.map(({ arguments: [error] }) => error.code), ['storage-failed']);
  await client.publish('a', 'x', { qos: 1 });
  await client.end();
  assert.ok(storage.records.has('ff'));
});

test('A storage is free again when connecting has failed', async () => {
  let isOpen = false;
  const storage = {
    load: async () => ((isOpen = true), []),
    commit: async () => {},
    close: async () => {
      await settled();
      isOpen = false;
    },
  };
  const server = new ScriptedServer();
  const refused = assert.rejects(connect(server.server, { outbox: { storage } }), { code: 'refused' });
  (await server.next()).say({ cmd: 'connack', reasonCode: 0x87, sessionPresent: false });
  await refused;
  assert.equal(isOpen, false);
});
