import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Broker, MqttError } from 'mqlite/broker';
import { RawTransport, rawClient, settled, Time, withBroker } from './support.mjs';

/** PUBLISH at QoS 0 to `t`, as a client that a test speaks itself hears it. */
const PUBLISH_5 = '3005000174' + '00' + '78';

withBroker('A message crosses, and is kept for those who come later', async (broker) => {
  const gauge = await broker.connect({ clientId: 'gauge' });
  await gauge.publish('tide/low', '06:12', { qos: 1, retain: true });
  const screen = await broker.connect({ clientId: 'screen' });
  const heard = [];
  await screen.subscribe('tide/+', { qos: 1 }, (message) => heard.push([message.topic, message.text(), message.retain]));
  await gauge.publish('tide/high', '12:30', { qos: 2 });
  await settled();
  assert.deepEqual(heard, [['tide/low', '06:12', true], ['tide/high', '12:30', false]]);
});

for (const protocolVersion of [4, 5]) {
  for (const qos of [0, 1, 2]) {
    withBroker(`MQTT ${protocolVersion} carries QoS ${qos}`, async (broker) => {
      const client = await broker.connect({ protocolVersion });
      const heard = [];
      const { qos: granted } = await client.subscribe('#', { qos }, (message) => heard.push(message));
      assert.equal(granted, qos);
      for (const size of [0, 1, 200_000]) await client.publish(`size/${size}`, new Uint8Array(size).fill(7), { qos });
      await settled();
      assert.deepEqual(heard.map(({ payload }) => payload.length), [0, 1, 200_000]);
      assert.ok(heard.every((message) => message.qos === qos && message.payload.every((byte) => byte === 7)));
    });
  }
}

withBroker('The host publishes without a client', async (broker) => {
  const client = await broker.connect();
  const heard = [];
  await client.subscribe('#', { qos: 2 }, ({ topic, qos, properties }) => heard.push({ topic, qos, properties }));
  await broker.publish('news', 'x', { qos: 2, properties: { contentType: 'text/plain', userProperties: [['a', 'b']] } });
  await settled();
  const properties = { contentType: 'text/plain', userProperties: [['a', 'b']] };
  assert.deepEqual(heard, [{ topic: 'news', qos: 2, properties }]);
  await assert.rejects(broker.publish('a\0', 'x'), { code: 'invalid-options' });
});

withBroker('What the broker counts is there to read', async (broker) => {
  const client = await broker.connect();
  await client.subscribe('a', () => {});
  await client.publish('a', 'x', { qos: 1, retain: true });
  const { clientsConnected, subscriptions, retainedMessages, messagesReceived, messagesSent } = broker.statistics();
  assert.deepEqual([clientsConnected, subscriptions, retainedMessages, messagesReceived, messagesSent], [1, 1, 1, 1, 1]);
});

test('A broker that closes tells its clients, and is of no more use', async () => {
  const broker = await Broker.open();
  const [client, raw] = [await broker.connect(), rawClient(broker)];
  broker.close();
  assert.equal(raw.hear().slice(0, 2), 'e0');
  assert.ok(raw.closed);
  const { cause, reason } = await client.ended;
  assert.deepEqual({ cause, reason }, { cause: 'server', reason: 0x8b });
  assert.throws(() => broker.accept(new RawTransport()), { code: 'closed' });
  assert.throws(() => broker.statistics(), { code: 'closed' });
  await assert.rejects(broker.connect(), { code: 'closed' });
  await assert.rejects(broker.publish('a', 'x'), { code: 'closed' });
  broker.close();
});

test('A broker that is closed by what it reports tells its clients too', async () => {
  const broker = await Broker.open({ onEvent: ({ type }) => type === 'publishRefused' && broker.close(), maximumTopicLevels: 1 });
  const client = await broker.connect();
  await client.publish('a/b', 'x');
  assert.equal((await client.ended).reason, 0x8b);
});

test('Every limit is known to the broker, and a wrong value is refused by name', async () => {
  const limits = {
    maximumConnections: 1, maximumConnectionsPerUser: 1, maximumSessions: 1, maximumSessionsPerUser: 1,
    connectTimeoutMillis: 1, maximumPacketSize: 100, receiveMaximum: 1,
    topicAliasMaximum: 1, assignedTopicAliases: 1, maximumQos: 1, retainAvailable: true, wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: true, sharedSubscriptionAvailable: true, serverKeepAliveSeconds: 1,
    maximumSessionExpirySeconds: 1, maximumSubscriptions: 1, maximumTopicLevels: 1, maximumInFlight: 1,
    maximumQueuedMessages: 1, maximumQueuedBytes: 1, sendBuffer: 1, maximumRetainedMessages: 1, maximumRetainedBytes: 1,
    maximumMessageBytes: 1, maximumDelayedMessages: 1, maximumDelayedMessagesPerUser: 1, maximumDelaySeconds: 1, maximumKeptRecords: 1, maximumKeptBytes: 1,
    maximumSubscriptionBytes: 1, maximumConnectSize: 1, publishMessagesPerSecond: 1, publishBytesPerSecond: 1, requestsPerSecond: 1, sysIntervalSeconds: 1, responseInformation: 'a',
  };
  (await Broker.open(limits)).close();
  const wrong = (value) => (typeof value === 'number' ? -1 : typeof value === 'string' ? '\0' : undefined);
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'boolean') continue; // a boolean has no wrong value, and no other type gets so far
    await assert.rejects(Broker.open({ [name]: wrong(value) }), (error) => {
      assert.ok(error instanceof MqttError && error.code === 'invalid-options', name);
      assert.ok(error.message.startsWith(`${name}: `), error.message);
      return true;
    });
  }
});

test('An option that does not exist is refused, and the others are named', async () => {
  await assert.rejects(Broker.open({ maxConnections: 3 }), (error) => {
    assert.match(error.message, /"maxConnections"/);
    assert.match(error.hint, /maximumConnections/);
    return true;
  });
});

withBroker('A client beyond the limit hears at once that there is no connection', async (broker) => {
  await broker.connect();
  // In a busy program it has said CONNECT before it hears of that.
  await assert.rejects(broker.connect(), ({ code }) => code === 'unreachable' || code === 'closed');
}, { maximumConnections: 1 });

withBroker('What is no topic, payload or option is refused, and harms nobody', async (broker) => {
  const client = await broker.connect();
  const cyclic = [];
  cyclic.push(cyclic);
  for (const nonsense of [undefined, null, 5, -1, 1n, true, Symbol('a'), {}, [], cyclic, new Date(), () => {}]) {
    for (const attempt of [
      () => broker.publish(nonsense, 'x'),
      () => client.publish(nonsense, 'x'),
      () => client.subscribe(nonsense),
      () => client.unsubscribe(nonsense),
      ...(nonsense === undefined ? [] : [
        () => client.publish('a', 'x', { properties: { userProperties: nonsense === cyclic ? cyclic : [nonsense] } }),
        () => broker.connect({ will: { topic: 'a', qos: nonsense === 5 ? 5 : {} } }),
      ]),
    ]) {
      await assert.rejects(attempt(), { name: 'MqttError', code: 'invalid-options' });
    }
  }
  const nested = { at: [1n] };
  for (const payload of [undefined, NaN, Infinity, 1n, Symbol('a'), () => {}, cyclic, nested, new Map(), new Blob([]), '\ud800']) {
    await assert.rejects(broker.publish('a', payload), { name: 'MqttError', code: 'invalid-options' });
    await assert.rejects(client.publish('a', payload, { retain: true }), { name: 'MqttError', code: 'invalid-options' });
  }
  await assert.rejects(Broker.open(null), { code: 'invalid-options' });
  assert.throws(() => broker.accept({}), { code: 'invalid-options' });
  assert.equal((await client.publish('a', 'x', { qos: 1 })).reason, 0x10);
  assert.equal(broker.statistics().clientsConnected, 1);
});

withBroker('Topics and filters of 256 levels come and go on the stack that there is', async (broker) => {
  const client = await broker.connect();
  const deep = Array(256).fill('a').join('/');
  const subscription = await client.subscribe(deep, () => {});
  await client.publish(deep, 'x', { qos: 1, retain: true });
  await client.publish(deep, '', { qos: 1, retain: true });
  await subscription.unsubscribe();
  await client.subscribe(`+/${deep.slice(2)}`, () => {});
  await client.end();
  await settled();
  assert.equal(broker.statistics().subscriptions, 0);
}, { maximumTopicLevels: 256 });

test('What brokers and clients held is given back', async () => {
  const payload = new Uint8Array(1_000_000);
  const round = async () => {
    const broker = await Broker.open();
    const client = await broker.connect();
    await client.publish('a', payload, { qos: 1, retain: true });
    await client.end();
    broker.close();
    await settled();
  };
  for (let count = 0; count < 5; count += 1) await round();
  const before = process.memoryUsage().external;
  for (let count = 0; count < 100; count += 1) await round();
  const kept = process.memoryUsage().external - before;
  assert.ok(kept < 50 * payload.length, `${kept} bytes more than before`);
});

test('An instance that fails takes its brokers with it, and the next broker has another', async () => {
  const complaint = mock.method(console, 'error', () => {});
  const [broken, bystander] = [await Broker.open(), await Broker.open()];
  const client = await bystander.connect();
  const raw = rawClient(broken);
  raw.onmessage({ data: new Uint8Array(2 ** 31) }); // more than an instance can hold
  assert.ok(raw.closed);
  assert.throws(() => broken.statistics(), { code: 'broken' });
  assert.equal((await client.ended).cause, 'lost');
  await assert.rejects(bystander.connect(), { code: 'broken' });
  const next = await Broker.open();
  assert.equal((await (await next.connect()).publish('a', 'x', { qos: 1 })).reason, 0x10);
  next.close();
  assert.ok(complaint.mock.callCount() > 0);
  complaint.mock.restore();
});

test('Limits are kept: one client more is closed at once', async (context) => {
  const events = [];
  const broker = await Broker.open({ maximumConnections: 1, onEvent: (event) => events.push(event) });
  context.after(() => broker.close());
  const client = await broker.connect({ clientId: 'first' });
  const other = new RawTransport();
  broker.accept(other);
  assert.ok(other.closed);
  assert.equal(broker.statistics().connectionsRefused, 1);
  await client.end();
  await settled();
  assert.deepEqual(events, [
    { type: 'connected', connection: 1, clientId: 'first', version: 5, sessionPresent: false },
    { type: 'disconnected', connection: 1, clientId: 'first', refusal: { reason: 0, message: 'the client sent DISCONNECT' } },
  ]);
});

withBroker('A transport that brings text, or throws, is closed, and nobody else hears of it', async (broker) => {
  const [bystander, texting, throwing] = [rawClient(broker), rawClient(broker), rawClient(broker)];
  texting.onmessage({ data: 'hello' });
  assert.ok(texting.closed);
  throwing.send = () => {
    throw new Error('no');
  };
  throwing.say('c000');
  assert.equal(broker.statistics().clientsConnected, 1);
  bystander.say('c000');
  assert.equal(bystander.hear(), 'd000');
});

withBroker(
  'A transport that does not write is not written to without bound, and goes on when it has written',
  async (broker) => {
    const [slow, publisher] = [rawClient(broker), await broker.connect()];
    slow.say('82' + '07' + '0001' + '00' + '000174' + '00');
    slow.hear();
    let buffered = 1;
    Object.defineProperty(slow, 'bufferedAmount', { get: () => buffered });
    for (let count = 0; count < 100; count += 1) await publisher.publish('t', 'x', { qos: 1 });
    const before = slow.hear();
    assert.ok(before.length / PUBLISH_5.length < 50, `${before.length} hexadecimal digits were sent`);
    assert.ok(broker.statistics().messagesDropped > 50);
    buffered = 0;
    await settled();
    assert.match(slow.hear(), new RegExp(`^(${PUBLISH_5})+$`));
    await publisher.publish('t', 'x', { qos: 1 });
    assert.equal(slow.hear(), PUBLISH_5);
  },
  { sendBuffer: 100 },
);

withBroker('What is given to a transport that has not written keeps nothing that went to others', async (broker) => {
  const clients = [rawClient(broker), rawClient(broker), rawClient(broker)];
  const lengths = [];
  for (const client of clients) {
    client.say('82' + '07' + '0001' + '00' + '000174' + '00');
    client.send = () => {};
  }
  clients[1].send = (bytes) => lengths.push([bytes.byteLength, bytes.buffer.byteLength]);
  Object.defineProperty(clients[1], 'bufferedAmount', { get: () => 1 });
  const publisher = rawClient(broker);
  for (let count = 0; count < 3; count += 1) publisher.say('30' + 'a49c01' + '000174' + '00' + '78'.repeat(20_000));
  const [[length, shared], ...others] = lengths;
  assert.equal(shared, 3 * length);
  assert.deepEqual(others, [[length, length], [length, length]]);
});

/** Subscribed to `t`, with one message heard that it has not written; `written` says that it has, `broken` that it never will. */
function unwritten(broker) {
  const [slow, publisher] = [rawClient(broker), rawClient(broker)];
  slow.say('82' + '07' + '0001' + '00' + '000174' + '00');
  let buffered = () => 1;
  Object.defineProperty(slow, 'bufferedAmount', { get: () => buffered() });
  publisher.say(PUBLISH_5);
  slow.hear();
  const broken = () => {
    buffered = () => assert.fail('It is gone.');
  };
  return { slow, publisher, written: () => (buffered = () => 0), broken };
}

withBroker('A transport that fails once it was given something is closed, and nobody else hears of it', async (broker) => {
  const { slow, broken } = unwritten(broker);
  broken();
  slow.say('c000');
  assert.ok(slow.closed);
  assert.equal(broker.statistics().clientsConnected, 1);
});

withBroker('A transport that speaks hears what waited for it, if it has written, and then the answer', async (broker) => {
  const { slow, publisher, written } = unwritten(broker);
  publisher.say(PUBLISH_5);
  assert.equal(slow.hear(), '');
  written();
  slow.say('c000');
  assert.equal(slow.hear(), PUBLISH_5 + 'd000');
});

test('Where no timer rings what waits for a transport goes with what comes later', async (context) => {
  context.mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1_000 });
  const broker = await Broker.open();
  const { slow, publisher, written } = unwritten(broker);
  written();
  publisher.say(PUBLISH_5);
  assert.equal(slow.hear(), '');
  context.mock.timers.setTime(1_020);
  publisher.say('c000');
  assert.equal(slow.hear(), PUBLISH_5);
  await broker.close();
});

withBroker('A transport that takes little is not closed for speaking much', async (broker) => {
  const { slow } = unwritten(broker);
  for (let count = 0; count < 7_000; count += 1) slow.say('c000');
  assert.equal(slow.closed, false);
});

test('A transport that takes nothing for a minute is closed, one that takes little is not', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const broker = await Broker.open();
  const [deaf, slow] = [rawClient(broker), rawClient(broker)];
  let left = 1_000_000;
  Object.defineProperty(deaf, 'bufferedAmount', { get: () => 1_000_000 });
  Object.defineProperty(slow, 'bufferedAmount', { get: () => left });
  for (const client of [deaf, slow]) client.say('c000');
  for (let minute = 0; minute < 3; minute += 1) {
    assert.equal(deaf.closed, minute > 1);
    left -= 1;
    context.mock.timers.tick(59_000);
  }
  assert.deepEqual([deaf.closed, slow.closed], [true, false]);
  assert.equal(broker.statistics().clientsConnected, 1);
  await broker.close();
});

withBroker('A transport that fails is closed, however it fails', async (broker) => {
  for (const fails of ['send', 'bufferedAmount']) {
    const transport = rawClient(broker);
    const fail = () => {
      throw new RangeError('gone');
    };
    Object.defineProperty(transport, fails, fails === 'send' ? { value: fail } : { get: fail });
    transport.say('c000');
    assert.ok(transport.closed, fails);
  }
  assert.equal(broker.statistics().clientsConnected, 0);
});

test('A clock that fails takes its own broker with it, and no other', async () => {
  const complaint = mock.method(console, 'error', () => {});
  let now = () => 1;
  const [broken, good] = [await Broker.open({ clock: () => now() }), await Broker.open()];
  now = () => {
    throw new RangeError('mine');
  };
  await assert.rejects(broken.publish('a', 'x'), { code: 'broken', message: 'The clock or the timer failed.' });
  await good.publish('a', 'x');
  good.close();
  complaint.mock.restore();
});

withBroker('Within its own work a broker says that it is busy', async (broker) => {
  const transport = rawClient(broker);
  let code;
  transport.send = () => {
    try {
      broker.statistics();
    } catch (error) {
      code = error.code;
    }
  };
  transport.say('c000');
  assert.equal(code, 'busy');
});

test('A timer has both of its methods', async () => {
  await assert.rejects(Broker.open({ timer: { set() {} } }), { code: 'invalid-options' });
});

test('Time is what the clock says: a silent client is closed, and its will published', async (context) => {
  const time = new Time();
  const broker = await Broker.open(time.options());
  context.after(() => broker.close());
  const watcher = rawClient(broker, 4);
  watcher.say('8206' + '0001' + '000174' + '00');
  watcher.hear();
  const silent = new RawTransport();
  broker.accept(silent);
  silent.say('1013' + '00044d515454' + '04' + '06' + '0002' + '000173' + '000174' + '000178');
  time.pass(2999);
  assert.ok(!silent.closed);
  time.pass(1);
  assert.ok(silent.closed);
  assert.equal(watcher.hear(), '3004' + '000174' + '78');
});

test('A connection that never says CONNECT is closed in time', async (context) => {
  const time = new Time();
  const broker = await Broker.open(time.options());
  context.after(() => broker.close());
  const mute = new RawTransport();
  broker.accept(mute);
  time.pass(10_000);
  assert.ok(mute.closed);
});

test('A source that is no WebAssembly is refused, and the next one may do', async () => {
  const { spawnSync } = await import('node:child_process');
  const script = `
    import { Broker } from 'mqlite/broker';
    const refused = await Broker.open({ wasm: new Uint8Array(8) }).catch(({ code, hint }) => [code, typeof hint]);
    const broker = await Broker.open();
    console.log(JSON.stringify([refused, broker.statistics().sessions]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  });
  assert.equal(stdout, '[["unsupported","string"],0]\n', stderr);
});
