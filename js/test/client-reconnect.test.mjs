// A client whose connections are lost, against a broker in this program whose connections a test can cut.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { RawTransport, settled, Time, until, withBroker } from './support.mjs';

const CONNACK_5 = '2003000000';

/** A broker behind WebSockets that can be cut, and that may be away. */
class Cuttable {
  sockets = [];
  isAway = false;

  constructor(broker) {
    this.broker = broker;
  }

  server = () => {
    if (this.isAway) throw new Error('the server is away');
    const socket = this.broker.webSocket();
    this.sockets.push(socket);
    return socket;
  };

  cut() {
    this.sockets.at(-1).close();
  }
}

const QUICK = { reconnect: { minimumDelayMillis: 1, maximumDelayMillis: 5 } };

withBroker('A client comes back, with its subscriptions, and what was published meanwhile is sent', async (broker) => {
  const line = new Cuttable(broker);
  const client = await connect(line.server, { clientId: 'a', ...QUICK });
  const statuses = [];
  client.on('status', (status, { error, sessionPresent }) => statuses.push([status, error?.code ?? sessionPresent]));
  const heard = [];
  await client.subscribe('a', { qos: 2 }, (message) => heard.push(message.text()));
  line.isAway = true;
  line.cut();
  await until(() => client.status === 'waiting');
  const published = [1, 2].map((qos) => client.publish('a', `offline ${qos}`, { qos }));
  await broker.publish('a', 'to the session', { qos: 1 });
  line.isAway = false;
  await Promise.all(published);
  await until(() => heard.length === 3);
  assert.deepEqual(heard.sort(), ['offline 1', 'offline 2', 'to the session']);
  assert.deepEqual(statuses[0], ['waiting', 'closed']);
  assert.deepEqual(statuses.at(-1), ['connected', true]);
  assert.ok(statuses.every(([status, what], at) => at === 0 || status !== 'waiting' || what === 'handler-failed'));
  await client.end();
  assert.deepEqual(statuses.at(-1), ['ended', undefined]);
  await until(() => broker.statistics().sessions === 0);
});

for (const protocolVersion of [4, 5]) {
  withBroker(`MQTT ${protocolVersion}: a server without the session is told what the client subscribes to`, async (broker) => {
    const line = new Cuttable(broker);
    const properties = protocolVersion === 5 ? { sessionExpiryInterval: 0 } : undefined;
    const client = await connect(line.server, { protocolVersion, properties, ...QUICK });
    const subscription = await client.subscribe(['a', 'b/+'], { qos: 1 });
    for (let round = 0; round < 3; round += 1) {
      line.cut();
      await until(() => client.status !== 'connected');
      await until(() => broker.statistics().subscriptions === 2 && client.status === 'connected');
    }
    await broker.publish('b/c', 'x', { qos: 1 });
    for await (const message of subscription) {
      assert.equal(message.text(), 'x');
      break;
    }
    await client.end();
  });
}

withBroker('A request that was under way is repeated where that does no harm', async (broker) => {
  const transports = [];
  const server = () => {
    const transport = new RawTransport();
    transports.push(transport);
    return transports.length === 1 ? transport : broker;
  };
  const connecting = connect(server, QUICK);
  await until(() => transports.length === 1 && transports[0].hear().startsWith('10'));
  transports[0].say(CONNACK_5);
  const client = await connecting;
  const subscribed = client.subscribe('a', { qos: 1 });
  const unsubscribed = client.unsubscribe('b');
  transports[0].onclose();
  assert.equal((await subscribed).qos, 1);
  await unsubscribed;
  await client.end();
});

test('A client waits as long as it is to, tries at once when it is told to, and gives up in the end', async (context) => {
  context.mock.method(Math, 'random', () => 0.999_999);
  const time = new Time();
  const broker = await Broker.open();
  const line = new Cuttable(broker);
  const client = await connect(line.server, { ...time.options(), reconnect: { maximumAttempts: 3 } });
  const due = [];
  client.on('status', (status, { nextAttemptAt }) => status === 'waiting' && due.push(nextAttemptAt - time.now));
  line.isAway = true;
  line.cut();
  await until(() => due.length === 1);
  time.pass(498);
  await settled();
  assert.equal(client.status, 'waiting');
  time.pass(1);
  await until(() => due.length === 2);
  client.reconnect();
  await until(() => due.length === 3);
  assert.deepEqual(due, [499, 999, 1_999]);
  const published = client.publish('a', 'x', { qos: 1 });
  published.catch(() => {});
  time.pass(1_999);
  const { cause, message } = await client.ended;
  assert.deepEqual([cause, client.status], ['lost', 'ended']);
  assert.match(message, /the server is away/);
  await assert.rejects(published, { code: 'interrupted' });
  client.reconnect();
  assert.equal(client.status, 'ended');
  await broker.close();
});

withBroker('A client that is not to come back ends, and says so to its loops', async (broker) => {
  const line = new Cuttable(broker);
  const client = await connect(line.server, { reconnect: false });
  const subscription = await client.subscribe('a');
  await broker.publish('a', 'before');
  await settled();
  line.cut();
  assert.equal((await client.ended).cause, 'lost');
  const heard = [];
  const loop = (async () => {
    for await (const message of subscription) heard.push(message.text());
  })();
  await assert.rejects(loop, { code: 'closed' });
  assert.deepEqual(heard, ['before']);
  assert.equal(line.sockets.length, 1);
});

withBroker('Two clients with one Client Identifier do not send each other away for ever', async (broker) => {
  const options = { clientId: 'same', ...QUICK };
  const first = await connect(broker, options);
  const second = await connect(broker, options);
  assert.equal((await first.ended).reason, 0x8e);
  await settled();
  assert.equal(second.status, 'connected');
  await second.end();
});

test('A client may connect in the background, and is there at once', async () => {
  const broker = await Broker.open();
  const line = new Cuttable(broker);
  line.isAway = true;
  const client = await connect(line.server, { waitForConnection: false, clientId: 'c', ...QUICK });
  assert.ok(client.status !== 'connected');
  assert.deepEqual([client.clientId, client.sessionPresent, client.server], ['c', false, {}]);
  const published = client.publish('a', 'x', { qos: 1 });
  await until(() => client.status === 'waiting');
  line.isAway = false;
  await published;
  await client.end();
  await broker.close();
});

test('Whoever waits for the first connection hears why there is none', async () => {
  await assert.rejects(connect(() => { throw new Error('no token'); }), { code: 'handler-failed', message: /no token/ });
  await assert.rejects(connect(() => Promise.reject(new Error('no token'))), { code: 'handler-failed', message: /no token/ });
  await assert.rejects(connect(async () => 'http://example.org'), { code: 'invalid-options', hint: /ws:\/\/ instead of http:/ });
});

withBroker('A function is asked for a server at each attempt, and may lead to another function', async (broker) => {
  let asked = 0;
  const sockets = [];
  const client = await connect(() => async () => {
    asked += 1;
    sockets.push(broker.webSocket());
    return sockets.at(-1);
  }, QUICK);
  sockets[0].close();
  await until(() => asked === 2 && client.status === 'connected');
  await client.end();
});

withBroker('A client that ends while it connects or waits connects no more', async (broker) => {
  const line = new Cuttable(broker);
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const connecting = await connect(async () => { await gate; return line.server(); }, { waitForConnection: false });
  await connecting.end();
  assert.equal((await connecting.ended).cause, 'requested');
  release();
  await until(() => line.sockets.length === 1 && line.sockets[0].readyState === line.sockets[0].CLOSED);
  line.isAway = true;
  const waiting = await connect(line.server, { waitForConnection: false, ...QUICK });
  await until(() => waiting.status === 'waiting');
  await waiting.end();
  line.isAway = false;
  await settled();
  assert.equal(line.sockets.length, 1);
  await assert.rejects(waiting.publish('a', 'x'), { code: 'closed' });
});

test('While the browser is offline a client waits without trying, and goes on when the network is back', async () => {
  const listeners = new Map();
  const navigator = { onLine: false };
  const broker = await Broker.open();
  let opened = 0;
  const page = {
    navigator,
    addEventListener: (type, call) => listeners.set(type, call),
    removeEventListener: (type, call) => listeners.get(type) === call && listeners.delete(type),
    WebSocket: function () {
      opened += 1;
      return broker.webSocket();
    },
  };
  const own = Object.keys(page).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { value, configurable: true });
  try {
    await assert.rejects(connect('wss://example.org/mqtt'), { code: 'offline' });
    const client = await connect('wss://example.org/mqtt', { waitForConnection: false });
    await until(() => client.status === 'waiting');
    await settled();
    assert.equal(opened, 0);
    navigator.onLine = true;
    listeners.get('online')();
    await until(() => client.status === 'connected');
    await client.end();
    navigator.onLine = false;
    const local = await connect('ws://127.0.0.1:9/mqtt');
    const inside = await connect(broker);
    await local.end();
    await inside.end();
    assert.equal(listeners.size, 0, 'nobody listens when all clients have ended');
  } finally {
    for (const [name, descriptor] of own) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
    await broker.close();
  }
});

withBroker('Those who listen are told until they go, and what fails in them harms nobody', async (broker) => {
  const client = await connect(broker);
  const complaint = mock.method(console, 'error', () => {});
  const heard = [];
  client.on('message', () => { throw new Error('no'); });
  const off = client.on('message', (message) => heard.push(message.text()));
  await client.subscribe('a', { qos: 1 }, () => {});
  await client.publish('a', '1', { qos: 1 });
  await until(() => heard.length === 1 && broker.statistics().messagesStored === 0);
  assert.equal(complaint.mock.callCount(), 1);
  const errors = [];
  client.on('error', (error) => errors.push([error.code, error.cause.message]));
  off();
  await client.publish('a', '2', { qos: 1 });
  await until(() => errors.length === 1 && broker.statistics().messagesStored === 0);
  assert.deepEqual([heard, errors, complaint.mock.callCount()], [['1'], [['handler-failed', 'no']], 1]);
  complaint.mock.restore();
  assert.throws(() => client.on('mesage', () => {}), { code: 'invalid-options', hint: /message/ });
  assert.throws(() => client.on('message'), { code: 'invalid-options' });
  await client.end();
});

withBroker('Of 10,000 QoS 2 messages across 50 connections that are cut none is lost, comes twice, or fails', async (broker) => {
  const [total, cuts] = [10_000, 50];
  const heard = [];
  const listener = await connect(broker);
  await listener.subscribe('a', { qos: 2 }, (message) => void heard.push(message.text()));
  const line = new Cuttable(broker);
  const client = await connect(line.server, { clientId: 'a', outbox: { maximumMessages: total }, ...QUICK });
  let acknowledged = 0;
  const publish = async (_, number) => {
    await client.publish('a', `${number}`, { qos: 2 });
    acknowledged += 1;
    if (acknowledged % (total / cuts) === total / cuts / 2) line.cut();
  };
  await Promise.all(Array.from({ length: total }, publish));
  await until(() => heard.length >= total);
  await settled();
  assert.deepEqual(heard, Array.from({ length: total }, (_, number) => `${number}`));
  assert.ok(line.sockets.length > cuts / 2, `${line.sockets.length} connections`);
  await client.end();
}, { maximumQueuedMessages: 20_000 });
