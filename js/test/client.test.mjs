import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { connect, MqttError } from 'mqlite';
import { ScriptedServer } from './scripted-server.mjs';
import { RawTransport, settled, Time, until, withBroker } from './support.mjs';

const CONNACK_5 = '2003000000';

withBroker('A handler is called for one message after the other, and each is acknowledged when it is done', async (broker) => {
  const [subscriber, publisher] = [await broker.connect(), await broker.connect()];
  const running = [];
  let finish;
  await subscriber.subscribe('a', { qos: 1 }, (message) => {
    running.push(message.text());
    return new Promise((resolve) => (finish = resolve));
  });
  await publisher.publish('a', '1', { qos: 1 });
  await publisher.publish('a', '2', { qos: 1 });
  await settled();
  assert.deepEqual([running, broker.statistics().messagesStored], [['1'], 2]);
  finish();
  await settled();
  assert.deepEqual([running, broker.statistics().messagesStored], [['1', '2'], 1]);
  finish();
  await settled();
  assert.equal(broker.statistics().messagesStored, 0);
});

withBroker('A handler that throws is heard of, and the next message comes all the same', async (broker) => {
  const client = await broker.connect();
  const complaint = mock.method(console, 'error', () => {});
  const heard = [];
  await client.subscribe('a', { qos: 1 }, (message) => {
    heard.push(message.text());
    if (message.text() === '1') throw new Error('no');
  });
  await client.publish('a', '1', { qos: 1 });
  await client.publish('a', '2', { qos: 1 });
  await settled();
  assert.deepEqual([heard, complaint.mock.callCount()], [['1', '2'], 1]);
  complaint.mock.restore();
});

withBroker('A loop takes messages at its own pace, and leaving it unsubscribes', async (broker) => {
  const client = await broker.connect();
  const subscription = await client.subscribe('a', { qos: 2 });
  for (const text of ['1', '2', '3']) await client.publish('a', text, { qos: 2 });
  const heard = [];
  for await (const message of subscription) {
    await settled();
    heard.push([message.text(), broker.statistics().messagesStored]);
    if (message.text() === '2') break;
  }
  await settled();
  assert.deepEqual(heard, [['1', 3], ['2', 2]]);
  const { subscriptions, messagesStored } = broker.statistics();
  assert.deepEqual([subscriptions, messagesStored], [0, 0], 'what was left waiting is acknowledged too');
});

withBroker('A loop may be left before it began or while it waits, and is the only one', async (broker) => {
  const client = await broker.connect();
  const early = (await client.subscribe('a'))[Symbol.asyncIterator]();
  await early.return();
  const subscription = await client.subscribe('b');
  const waiting = subscription[Symbol.asyncIterator]();
  const next = waiting.next();
  await waiting.return();
  assert.deepEqual(await next, { value: undefined, done: true });
  await settled();
  assert.equal(broker.statistics().subscriptions, 0);
  assert.throws(() => subscription[Symbol.asyncIterator](), { code: 'invalid-options' });
  const handled = await client.subscribe('c', () => {});
  assert.throws(() => handled[Symbol.asyncIterator](), { code: 'invalid-options' });
});

withBroker('A loop may ask for several messages at once', async (broker) => {
  const client = await broker.connect();
  const messages = (await client.subscribe('a'))[Symbol.asyncIterator]();
  const asked = [messages.next(), messages.next(), messages.next()];
  for (const text of ['1', '2']) await broker.publish('a', text);
  await settled();
  const [one, two] = await Promise.all(asked.slice(0, 2));
  assert.deepEqual([one.value.text(), two.value.text()], ['1', '2']);
  await client.end();
  assert.deepEqual(await asked[2], { value: undefined, done: true });
});

withBroker('What takes the messages of a kept session stops at disconnect too', async (broker) => {
  const options = { clientId: 'a', cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const first = await broker.connect(options);
  await first.subscribe('a', { qos: 1 }, () => {});
  await first.end();
  await settled();
  for (let count = 0; count < 20; count += 1) await broker.publish('a', 'x', { qos: 1 });
  let calls = 0;
  const second = await broker.connect({
    ...options,
    onMessage: async () => {
      calls += 1;
      await settled();
      if (calls === 3) await second.end();
    },
  });
  await second.ended;
  await settled();
  assert.deepEqual([calls, broker.statistics().messagesStored], [3, 18]);
});

withBroker('A handler that ends its subscription, or the connection, is called no more', async (broker) => {
  for (const end of ['unsubscribe', 'disconnect']) {
    const client = await broker.connect();
    let calls = 0;
    const subscription = await client.subscribe('a', { qos: 1 }, async () => {
      calls += 1;
      await (end === 'unsubscribe' ? subscription.unsubscribe() : client.end());
    });
    await Promise.allSettled(Array.from({ length: 20 }, () => client.publish('a', 'x', { qos: 1 })));
    await settled();
    assert.equal(calls, 1, end);
    assert.equal(broker.statistics().messagesStored, 0, end);
  }
});

for (const protocolVersion of [4, 5]) {
  withBroker(`MQTT ${protocolVersion}: what came before the server closed is taken to the end`, async (broker) => {
    const client = await broker.connect({ protocolVersion });
    const subscription = await client.subscribe('a');
    const heard = { loop: [], handler: [] };
    await client.subscribe('a', async (message) => {
      await settled();
      heard.handler.push(message.text());
    });
    const loop = (async () => {
      for await (const message of subscription) heard.loop.push(message.text());
    })();
    for (const text of ['1', '2']) await broker.publish('a', text);
    broker.close();
    await assert.rejects(loop, { code: 'closed' });
    await settled();
    await settled();
    await settled();
    assert.deepEqual(heard, { loop: ['1', '2'], handler: ['1', '2'] });
  });
}

withBroker('A loop ends at once when its client disconnects', async (broker) => {
  const client = await broker.connect();
  const subscription = await client.subscribe('a');
  await client.publish('a', '1', { qos: 1 });
  await client.end();
  for await (const message of subscription) assert.fail(message.text());
});

withBroker('Messages that nobody takes are dropped beyond 16 MiB, and counted', async (broker) => {
  const client = await broker.connect();
  const subscription = await client.subscribe('a');
  const payload = new Uint8Array(1_000_000);
  for (let count = 0; count < 19; count += 1) await client.publish('a', payload, { qos: 1 });
  assert.equal(subscription.dropped, 3);
  let heard = 0;
  for await (const message of subscription) {
    heard += 1;
    assert.equal(message.payload.length, payload.length);
    if (heard === 16) break;
  }
});

for (const how of ['a callback', 'an asynchronous callback', 'a loop']) {
  withBroker(`A burst of small messages is heard whole by ${how}`, async (broker) => {
    const [publisher, subscriber] = [await broker.connect(), await broker.connect()];
    let heard = 0;
    const finished = new Promise((resolve) => {
      const count = () => (heard += 1) === 10_000 && resolve();
      if (how === 'a callback') return subscriber.subscribe('a', () => void count());
      if (how === 'an asynchronous callback') return subscriber.subscribe('a', async () => count());
      return subscriber.subscribe('a').then(async (subscription) => {
        for await (const _ of subscription) {
          count();
          if (heard === 10_000) break;
        }
      });
    });
    await settled();
    for (let count = 0; count < 10_000; count += 1) void publisher.publish('a', 'x');
    await finished;
    assert.equal(broker.statistics().messagesDropped, 0);
  });
}

withBroker('Callbacks may use the client and the broker at once', async (broker) => {
  const client = await broker.connect();
  const echoed = new Promise((resolve) => client.subscribe('echo', (message) => resolve(message.text())));
  await client.subscribe('question', async (message) => {
    assert.equal(broker.statistics().clientsConnected, 1);
    await client.publish('echo', `${message.text()}!`, { qos: 1 });
  });
  await client.publish('question', 'x', { qos: 2 });
  assert.equal(await echoed, 'x!');
});

for (const protocolVersion of [4, 5]) {
  withBroker(`MQTT ${protocolVersion}: each of several subscriptions hears a message once`, async (broker) => {
    const client = await broker.connect({ protocolVersion });
    const heard = { one: [], two: [], wide: [], narrow: [] };
    const into = (name) => (message) => heard[name].push(message.text());
    await client.subscribe('a/b', into('one'));
    const two = await client.subscribe('a/b', into('two'));
    await client.subscribe('a/#', into('wide'));
    await client.subscribe('a', into('narrow'));
    await client.publish('a/b', '1');
    await settled();
    assert.deepEqual(heard, { one: ['1'], two: ['1'], wide: ['1'], narrow: [] });
    await two.unsubscribe();
    await client.publish('a/b', '2');
    await settled();
    assert.deepEqual(heard, { one: ['1', '2'], two: ['1'], wide: ['1', '2'], narrow: [] });
    await client.unsubscribe('a/b');
    await client.publish('a/b', '3');
    await settled();
    assert.deepEqual(heard, { one: ['1', '2'], two: ['1'], wide: ['1', '2', '3'], narrow: [] });
  });
}

withBroker('A share and the same filter without it are told apart', async (broker) => {
  const [client, other] = [await broker.connect(), await broker.connect()];
  const heard = { plain: 0, shared: 0, other: 0 };
  await client.subscribe('a', () => (heard.plain += 1));
  await client.subscribe('$share/g/a', () => (heard.shared += 1));
  await other.subscribe('$share/g/a', () => (heard.other += 1));
  for (let count = 0; count < 10; count += 1) await client.publish('a', 'x', { qos: 1 });
  await settled();
  assert.deepEqual([heard.plain, heard.shared + heard.other], [10, 10]);
  assert.ok(heard.shared > 0 && heard.other > 0);
});

withBroker('A session that was kept gives its messages to onMessage', async (broker) => {
  const options = { clientId: 'a', cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  const first = await broker.connect(options);
  await first.subscribe('a', { qos: 1 }, () => {});
  await first.end();
  const publisher = await broker.connect();
  await publisher.publish('a', 'x', { qos: 1 });
  const heard = [];
  const second = await broker.connect({ ...options, onMessage: (message) => heard.push(message.text()) });
  assert.equal(second.sessionPresent, true);
  await settled();
  assert.deepEqual([heard, broker.statistics().messagesStored], [['x'], 0]);
});

withBroker('A will is published when a client goes with 0x04, and not when it just goes', async (broker) => {
  const watcher = await broker.connect();
  const heard = [];
  await watcher.subscribe('will/#', (message) => heard.push([message.topic, message.text(), message.properties]));
  const will = (topic) => ({ topic, payload: 'gone', properties: { contentType: 'text/plain' } });
  await (await broker.connect({ will: will('will/a') })).end();
  await (await broker.connect({ will: will('will/b') })).end({ reason: 0x04 });
  await settled();
  assert.deepEqual(heard, [['will/b', 'gone', { contentType: 'text/plain' }]]);
});

withBroker('A reason that only a server may give is refused, and the client stays', async (broker) => {
  const client = await broker.connect();
  await assert.rejects(() => client.end({ reason: 0x8b }), { code: 'invalid-options' });
  await client.publish('a', 'x', { qos: 1 });
  await client.end({ reason: 0x98 });
});

withBroker('A client whose session another takes over is told', async (broker) => {
  const first = await broker.connect({ clientId: 'same' });
  await broker.connect({ clientId: 'same' });
  const { cause, reason, message } = await first.ended;
  assert.deepEqual({ cause, reason }, { cause: 'server', reason: 0x8e });
  assert.match(message, /^[A-Z].*\.$/);
  await assert.rejects(first.publish('a', 'x'), { code: 'closed', reason: 0x8e });
  await assert.rejects(first.subscribe('a'), { code: 'closed' });
  await first.end();
});

withBroker('What breaks a rule is refused before it is sent, in words', async (broker) => {
  const client = await broker.connect({ clientId: 'a' });
  const sent = broker.statistics().bytesReceived;
  for (const [code, attempt] of [
    ['invalid-topic', () => client.publish('a/#', 'x')],
    ['invalid-topic', () => client.publish('', 'x')],
    ['invalid-topic', () => client.subscribe('a#')],
    ['invalid-topic', () => client.subscribe('$share/x')],
    ['invalid-options', () => client.publish('a', 'x', { qos: 3 })],
    ['invalid-options', () => client.publish('a', 'x', { qos: 256 })],
    ['invalid-options', () => client.publish('a', 'x', { qos: 0.5 })],
    ['invalid-options', () => client.publish('a', 'x', { QoS: 1 })],
    ['invalid-options', () => client.publish('a', 'x', { properties: { userProperties: [['a']] } })],
    ['invalid-options', () => client.subscribe('a', { qos: '1' })],
    ['invalid-options', () => client.subscribe('a', {}, null)],
    ['invalid-options', () => client.subscribe('a', {}, 'x')],
    ['invalid-options', () => client.subscribe('a', { retainHandling: 'often' })],
    ['no-local-on-shared', () => client.subscribe('$share/g/a', { noLocal: true })],
    ['packet-too-large', () => client.publish('a', 'x'.repeat(1 << 20))],
    ['invalid-options', () => broker.connect({ keepAlive: 70_000 })],
    ['invalid-options', () => broker.connect({ clean: true })],
    ['invalid-options', () => broker.connect({ will: { topic: 'a', retian: true } })],
    ['invalid-options', () => broker.connect({ properties: { sessionExpiry: 1 } })],
    ['invalid-options', () => broker.connect({ clientId: '\ud800' })],
    ['invalid-options', () => client.end({ reason: 260 })],
    ['invalid-options', () => client.end({ reasn: 4 })],
    ['invalid-options', () => broker.connect({ protocolVersion: 3 })],
    ['invalid-options', () => broker.connect({ protocolVersion: 4, cleanStart: false })],
    ['invalid-topic', () => broker.connect({ will: { topic: '#' } })],
  ]) {
    await assert.rejects(attempt(), (error) => {
      assert.ok(error instanceof MqttError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, /^([A-Z]|[a-z][\w.[\]]*(: | must )).*\.$/s);
      return true;
    });
  }
  assert.equal(broker.statistics().bytesReceived, sent);
});

withBroker('A number out of its range is told the range', async (broker) => {
  for (const [options, message] of [
    [{ keepAlive: 65_536 }, 'keepAlive: a whole number from 0 to 65,535 is expected.'],
    [{ outbox: { maximumMessages: 0.5 } }, 'outbox.maximumMessages: a whole number from 0 to 4,294,967,295 is expected.'],
    [{ responseTimeoutMillis: 0 }, 'responseTimeoutMillis: a whole number from 1 on is expected.'],
    [{ properties: { receiveMaximum: 0 } }, 'properties.receiveMaximum: a whole number from 1 to 65,535 is expected.'],
  ]) {
    await assert.rejects(broker.connect(options), { code: 'invalid-options', message });
  }
});

withBroker('The limits that the server named are kept', async (broker) => {
  const client = await broker.connect();
  assert.equal(client.server.maximumQos, 1);
  await assert.rejects(client.publish('a', 'x', { qos: 2 }), { code: 'qos-not-supported' });
  await assert.rejects(client.publish('a', 'x', { retain: true }), { code: 'retain-not-supported' });
  await assert.rejects(client.subscribe('+'), { code: 'wildcard-subscriptions-not-supported' });
  await assert.rejects(client.subscribe('$share/g/a'), { code: 'shared-subscriptions-not-supported' });
}, { maximumQos: 1, retainAvailable: false, wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false });

test('A request whose answer never came is interrupted, or closed with the reason', async () => {
  const transport = new RawTransport();
  const connecting = connect(transport);
  await until(() => transport.hear().startsWith('10'));
  transport.say(CONNACK_5);
  const client = await connecting;
  const asked = [client.subscribe('a'), client.publish('a', 'x', { qos: 1 })];
  transport.onclose();
  const [subscribed, published] = await Promise.allSettled(asked);
  assert.equal(subscribed.reason.code, 'interrupted');
  assert.equal(published.reason.code, 'interrupted');
  await assert.rejects(client.publish('a', 'x', { qos: 1 }), { code: 'closed' });
  assert.equal((await client.ended).cause, 'lost');
});

test('A server that is silent, says nonsense or says text is left', async () => {
  const time = new Time();
  const silent = new RawTransport();
  const waiting = connect(silent, time.options());
  waiting.catch(() => {});
  await until(() => silent.hear().startsWith('10'));
  time.pass(10_000);
  await assert.rejects(waiting, { code: 'closed' });
  assert.ok(silent.closed);
  for (const talk of [(transport) => transport.say('ffff'), (transport) => transport.onmessage({ data: 'hello' })]) {
    const transport = new RawTransport();
    const connecting = connect(transport);
    connecting.catch(() => {});
    await until(() => transport.hear().startsWith('10'));
    talk(transport);
    await assert.rejects(connecting, { code: 'closed' });
    assert.ok(transport.closed);
  }
});

test('A client pings when it has nothing to say', async () => {
  const time = new Time();
  const transport = new RawTransport();
  const connecting = connect(transport, { ...time.options(), keepAlive: 5 });
  await until(() => transport.hear().startsWith('10'));
  transport.say(CONNACK_5);
  await connecting;
  time.pass(5_000);
  assert.equal(transport.hear(), 'c000');
});

test('An address that is none, and a server that is not there, are told in words', async () => {
  if (typeof WebSocket === 'function') {
    await assert.rejects(connect('mqtt:nowhere'), { code: 'invalid-options' });
    await assert.rejects(connect('ws://127.0.0.1:1/mqtt'), { code: 'unreachable' });
  } else {
    await assert.rejects(connect('ws://127.0.0.1:1/mqtt'), (error) => error.code === 'unsupported' && /ws/.test(error.hint));
  }
});

test('Messages have the properties that they were published with, although the same bytes are used again', async () => {
  const [client, connection] = await new ScriptedServer().connect();
  const correlationData = new Uint8Array(1);
  const name = ['number', ''];
  for (const number of [0, 1, 2]) {
    correlationData[0] = number;
    name[1] = `${number}`;
    client.publish('a', 'b', { properties: { correlationData, userProperties: [name] } });
  }
  for (const number of [0, 1, 2]) {
    const { properties } = await connection.hear('publish');
    assert.deepEqual([properties.correlationData[0], properties.userProperties.number], [number, `${number}`]);
  }
  await client.end();
});
