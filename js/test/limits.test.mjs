// What a server's CONNACK allows, and what a client does about it: on one connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'mqlite';
import { ScriptedServer } from './scripted-server.mjs';
import { Time, until } from './support.mjs';

/** The error of a promise that rejects: its code, its sentence and its hint. */
const errorOf = (promise) => promise.then(() => assert.fail('it resolved'), ({ code, message, hint }) => ({ code, message, hint }));

for (const { limit, ask, error, instead } of [
  {
    limit: { maximumQoS: 0 },
    ask: (client) => client.publish('a', '', { qos: 1 }),
    error: { code: 'qos-not-supported', message: "The server's Maximum QoS is 0.", hint: 'Publish with a lower QoS.' },
    instead: (client) => client.publish('a', '', { qos: 0 }),
  },
  {
    limit: { maximumQoS: 1 },
    ask: (client) => client.publish('a', '', { qos: 2 }),
    error: { code: 'qos-not-supported', message: "The server's Maximum QoS is 1.", hint: 'Publish with a lower QoS.' },
    instead: (client) => client.publish('a', '', { qos: 1 }),
  },
  {
    limit: { retainAvailable: false },
    ask: (client) => client.publish('a', '', { retain: true }),
    error: { code: 'retain-not-supported', message: 'The server keeps no retained messages.', hint: 'Publish without retain.' },
    instead: (client) => client.publish('a', ''),
  },
  {
    limit: { maximumPacketSize: 30 },
    ask: (client) => client.publish('a', 'x'.repeat(25)),
    error: {
      code: 'packet-too-large',
      message: "The packet has 31 bytes, the server's Maximum Packet Size is 30.",
      hint: 'Send less at a time, or raise the limit of the server.',
    },
    instead: (client) => client.publish('a', 'x'.repeat(24)),
  },
  {
    limit: { maximumPacketSize: 30 },
    ask: (client) => client.subscribe('f'.repeat(40)),
    error: {
      code: 'packet-too-large',
      message: "The packet has 53 bytes, the server's Maximum Packet Size is 30.",
      hint: 'Send less at a time, or raise the limit of the server.',
    },
    instead: (client) => client.subscribe('f'.repeat(17)),
  },
  {
    limit: { wildcardSubscriptionAvailable: false },
    ask: (client) => client.subscribe('a/+'),
    error: {
      code: 'wildcard-subscriptions-not-supported',
      message: 'The server has no Wildcard Subscriptions.',
      hint: 'Subscribe to each topic by its name.',
    },
    instead: (client) => client.subscribe('a/b'),
  },
  {
    limit: { sharedSubscriptionAvailable: false },
    ask: (client) => client.subscribe('$share/g/a'),
    error: {
      code: 'shared-subscriptions-not-supported',
      message: 'The server has no Shared Subscriptions.',
      hint: 'Subscribe without $share.',
    },
    instead: (client) => client.subscribe('a'),
  },
  {
    limit: { subscriptionIdentifiersAvailable: false },
    ask: (client) => client.subscribe('a', { identifier: 7 }),
    error: {
      code: 'subscription-identifiers-not-supported',
      message: 'The server has no Subscription Identifiers.',
      hint: 'Subscribe without an identifier.',
    },
    instead: (client) => client.subscribe('a'),
  },
]) {
  test(`${JSON.stringify(limit)}: ${ask.toString().replace('(client) => client.', '')} fails before anything is sent`, async () => {
    const script = new ScriptedServer();
    const [client, server] = await script.connect(limit);
    assert.deepEqual(await errorOf(ask(client)), error);
    await server.hearNothingBefore(client);
    const done = instead(client);
    const { cmd, messageId, qos } = await server.hearAny();
    if (cmd === 'subscribe') server.say({ cmd: 'suback', messageId, granted: [0] });
    else if (qos === 1) server.say({ cmd: 'puback', messageId });
    await done;
    assert.equal(client.status, 'connected');
    await client.end();
  });
}

test('Of several filters, one that the server cannot have ends them all, and what it granted is taken back', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ wildcardSubscriptionAvailable: false });
  const failed = errorOf(client.subscribe(['a', 'b/#']));
  const { messageId, subscriptions } = await server.hear('subscribe');
  assert.deepEqual(subscriptions.map(({ topic }) => topic), ['a']);
  server.say({ cmd: 'suback', messageId, granted: [0] });
  const { messageId: end, unsubscriptions } = await server.hear('unsubscribe');
  assert.deepEqual(unsubscriptions, ['a']);
  server.say({ cmd: 'unsuback', messageId: end, granted: [0] });
  assert.equal((await failed).code, 'wildcard-subscriptions-not-supported');
  await client.end();
});

test('Without Subscription Identifiers the messages find their handlers by their topics', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ subscriptionIdentifiersAvailable: false });
  const heard = [];
  for (const filter of ['a/+', '$share/g/b', 'c']) {
    const subscribing = client.subscribe(filter, (message) => heard.push([filter, message.topic]));
    const { properties } = await server.grant();
    assert.equal(properties?.subscriptionIdentifier, undefined);
    await subscribing;
  }
  for (const topic of ['b', 'a/1', 'c', 'a/2']) server.say({ cmd: 'publish', topic, payload: '', qos: 0, dup: false, retain: false });
  await until(() => heard.length === 4);
  assert.deepEqual(heard, [['$share/g/b', 'b'], ['a/+', 'a/1'], ['c', 'c'], ['a/+', 'a/2']]);
  await client.end();
});

test('No more QoS 1 and 2 messages are under way than the Receive Maximum; QoS 0 and subscriptions do not wait', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ receiveMaximum: 2 });
  const done = [];
  for (const [number, qos] of [1, 2, 1, 2, 1].entries()) {
    client.publish(`${number}`, '', { qos }).then(() => done.push(number), ({ reason }) => done.push(reason));
  }
  assert.deepEqual(await server.hearPublishes(2), ['0, QoS 1, id 1', '1, QoS 2, id 2']);
  await server.hearNothingBefore(client);
  await Promise.all([client.subscribe('a'), server.grant()]);
  server.say({ cmd: 'pubrec', messageId: 2 });
  await server.hear('pubrel');
  await server.hearNothingBefore(client); // a PUBREC gives nothing back [MQTT-4.9.0-2]
  server.say({ cmd: 'pubcomp', messageId: 2 });
  const [third] = await server.hearPublishes(1);
  assert.match(third, /^2, QoS 1/);
  await server.hearNothingBefore(client);
  server.say({ cmd: 'puback', messageId: 1 });
  const next = await server.hear('publish');
  assert.equal(next.topic, '3');
  server.say({ cmd: 'pubrec', messageId: next.messageId, reasonCode: 0x97 });
  const last = await server.hear('publish'); // a PUBREC that refuses does
  assert.equal(last.topic, '4');
  server.say({ cmd: 'puback', messageId: Number(third.match(/id (\d+)/)[1]) }, { cmd: 'puback', messageId: last.messageId });
  await until(() => done.length === 5);
  assert.deepEqual(done, [1, 0, 0x97, 2, 4]);
  await client.end();
});

test('Who gives up what has just been answered does not take another message back', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ receiveMaximum: 1 });
  const controller = new AbortController();
  await Promise.all([
    client.subscribe('now', () => {
      client.publish('third', '', { qos: 1 });
      controller.abort();
    }),
    server.grant(),
  ]);
  const first = client.publish('first', '', { qos: 1, signal: controller.signal });
  client.publish('second', '', { qos: 1 });
  const { messageId } = await server.hear('publish');
  server.sayAtOnce({ cmd: 'puback', messageId }, { cmd: 'publish', topic: 'now', payload: '', qos: 0 });
  await first;
  const second = await server.hear('publish');
  server.say({ cmd: 'puback', messageId: second.messageId });
  const third = await server.hear('publish');
  assert.equal(third.topic, 'third');
  server.say({ cmd: 'puback', messageId: third.messageId });
  await client.end();
});

test('Of messages that go out together each promise tells what became of its own', async () => {
  const script = new ScriptedServer();
  const [client, server] = await script.connect({ maximumPacketSize: 30 }, { outbox: { maximumMessages: 3 } });
  const publishAll = (...messages) => {
    const told = messages.map(([topic, payload, options]) => client.publish(topic, payload, options));
    return Promise.all(told.map((promise) => promise.then(({ reason }) => reason, ({ code }) => code)));
  };
  const large = 'x'.repeat(30);
  const told = publishAll(['a', ''], ['b/+', ''], ['c', ''], ['d', large], ['e', '', { qos: 1 }], ['f', '']);
  const heard = [];
  while (heard.length < 4) heard.push(await server.hear('publish'));
  assert.deepEqual(heard.map(({ topic }) => topic), ['a', 'c', 'e', 'f']);
  server.say({ cmd: 'puback', messageId: heard[2].messageId, reasonCode: 0x97 });
  assert.deepEqual(await told, [0, 'invalid-topic', 0, 'packet-too-large', 'refused', 0]);

  server.cut();
  const later = publishAll(['a', ''], ['b', ''], ['+', ''], ['c', ''], ['d', '']);
  const next = await script.accept();
  assert.deepEqual(await next.hearPublishes(3), ['a, QoS 0', 'b, QoS 0', 'c, QoS 0']);
  assert.deepEqual(await later, [0, 0, 'invalid-topic', 0, 'queue-full']);

  next.cut();
  const never = publishAll(['a', ''], ['b', '']);
  await client.end();
  assert.deepEqual(await never, ['interrupted', 'interrupted']);
});

test('Topics get aliases as many as the server allows, in the order in which they come', async () => {
  for (const [allowed, expected] of [
    [0, [['a', 0], ['a', 0], ['b', 0], ['c', 0], ['b', 0]]],
    [2, [['a', 1], ['', 1], ['b', 2], ['c', 0], ['', 2]]],
  ]) {
    const script = new ScriptedServer();
    const [client, server] = await script.connect(allowed > 0 ? { topicAliasMaximum: allowed } : {});
    const heard = [];
    for (const topic of ['a', 'a', 'b', 'c', 'b']) {
      void client.publish(topic, '');
      const packet = await server.hear('publish');
      heard.push([packet.topic, packet.properties?.topicAlias ?? 0]);
    }
    assert.deepEqual(heard, expected);
    await client.end();
  }
});

test('The Server Keep Alive replaces that of the client, up to none at all', async () => {
  for (const [properties, asked, pingAfter] of [
    [{}, 60, 30_000],
    [{ serverKeepAlive: 10 }, 60, 5_000],
    [{ serverKeepAlive: 100 }, 60, 50_000],
    [{ serverKeepAlive: 10 }, 0, 5_000],
    [{ serverKeepAlive: 0 }, 60, undefined],
  ]) {
    const time = new Time();
    const script = new ScriptedServer();
    const [client, server] = await script.connect(properties, { ...time.options(), keepAlive: asked });
    assert.equal(server.connect.keepalive, asked);
    assert.equal(client.server.serverKeepAlive, properties.serverKeepAlive);
    if (pingAfter === undefined) {
      time.pass(3_600_000);
      await server.hearNothingBefore(client);
    } else {
      time.pass(pingAfter - 1);
      time.pass(1);
      await server.hear('pingreq');
      server.say({ cmd: 'pingresp' });
    }
    assert.equal(client.status, 'connected');
    await client.end();
  }
});

test('A client that was assigned an identifier keeps it for all its connections', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect({ assignedClientIdentifier: 'auto-7' });
  assert.deepEqual([first.connect.clientId, client.clientId], ['', 'auto-7']);
  first.cut();
  for (let round = 0; round < 3; round += 1) {
    const next = await script.accept({}, { sessionPresent: true });
    assert.deepEqual([next.connect.clientId, next.connect.clean], ['auto-7', false]);
    await until(() => client.status === 'connected');
    assert.deepEqual([client.clientId, client.sessionPresent], ['auto-7', true]);
    next.cut();
  }
  await client.end();
});

test('A server that keeps sessions shorter, or not at all, is believed', async () => {
  for (const [answer, clean] of [[undefined, false], [60, false], [0, true]]) {
    const script = new ScriptedServer();
    const [client, first] = await script.connect(answer === undefined ? {} : { sessionExpiryInterval: answer });
    assert.deepEqual([first.connect.properties.sessionExpiryInterval, first.connect.clean], [120, true]);
    assert.equal(client.server.sessionExpiryInterval, answer);
    first.cut();
    const second = await script.accept();
    assert.equal(second.connect.clean, clean, `after ${answer}`);
    await client.end();
  }
});

test('A Server Reference is in the error, and is followed where the application knows how', async () => {
  const script = new ScriptedServer();
  const elsewhere = new ScriptedServer();
  const sendAway = async () => (await script.next()).say({ cmd: 'connack', reasonCode: 0x9c, properties: { serverReference: 'b.test' } });
  const refused = errorOf(connect(script.server));
  await sendAway();
  assert.deepEqual(await refused, {
    code: 'refused',
    message: 'The server refused the connection: 0x9c Use another server.',
    hint: 'It names another server: b.test.',
  });
  const connecting = connect(script.server, { redirect: (reference) => (reference === 'b.test' ? elsewhere.server : undefined) });
  await sendAway();
  await elsewhere.accept({ maximumQoS: 1 });
  const client = await connecting;
  assert.equal(client.server.maximumQos, 1);
  await client.end();
});

test('What a server sends beyond the limits of the client ends the connection with the reason', async () => {
  const publish = (properties) => ({ cmd: 'publish', topic: 'a', payload: '', dup: false, retain: false, qos: 0, ...properties });
  for (const [properties, packets, reason] of [
    // mosquitto 2.0 sends more than it may: that much is borne.
    [{ receiveMaximum: 2 }, Array.from({ length: 8_193 }, (_, index) => publish({ qos: 2, messageId: index + 1 })), 0x93],
    [{ maximumPacketSize: 20 }, [publish({ payload: 'x'.repeat(20) })], 0x95],
    [{ topicAliasMaximum: 2 }, [publish({ properties: { topicAlias: 3 } })], 0x94],
    [{ topicAliasMaximum: 2 }, [publish({ topic: '', properties: { topicAlias: 1 } })], 0x82],
  ]) {
    const script = new ScriptedServer();
    const [client, server] = await script.connect({}, { properties, reconnect: false });
    await Promise.all([client.subscribe('a', { manualAck: true }, () => {}), server.grant()]);
    server.say(...packets);
    const packet = await server.hearAny();
    const said = packet.cmd === 'pubrec' ? await server.hearAny() : packet;
    assert.deepEqual([said.cmd, said.reasonCode], ['disconnect', reason]);
    assert.equal((await client.ended).reason, reason);
    assert.ok(server.isClosed);
  }
});
