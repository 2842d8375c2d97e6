// A client that comes back to a server with other limits: what waited, what it subscribes to again, what it sends again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedServer } from './scripted-server.mjs';
import { until } from './support.mjs';

/** What became of promises: `ok`, or the code of the error. */
const outcomes = (promises) => Promise.all(promises.map((promise) => promise.then(() => 'ok', ({ code }) => code)));

test('What waited for a connection keeps to the limits of the server that there is then', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect();
  first.cut();
  const waiting = outcomes([
    client.publish('1', '', { qos: 2 }),
    client.publish('2', '', { qos: 1 }),
    client.publish('3', '', { qos: 1, retain: true }),
    client.publish('4', 'x'.repeat(50)),
    client.publish('5', ''),
    client.subscribe('+'),
    client.subscribe('$share/g/a'),
    client.subscribe('a', { identifier: 1 }),
  ]);
  const second = await script.accept({
    maximumQoS: 1,
    retainAvailable: false,
    maximumPacketSize: 40,
    wildcardSubscriptionAvailable: false,
    sharedSubscriptionAvailable: false,
    subscriptionIdentifiersAvailable: false,
  });
  const { messageId, topic } = await second.hear('publish');
  assert.equal(topic, '2');
  assert.equal((await second.hear('publish')).topic, '5');
  second.say({ cmd: 'puback', messageId });
  assert.deepEqual(await waiting, [
    'qos-not-supported',
    'ok',
    'retain-not-supported',
    'packet-too-large',
    'ok',
    'wildcard-subscriptions-not-supported',
    'shared-subscriptions-not-supported',
    'subscription-identifiers-not-supported',
  ]);
  await second.hearNothingBefore(client);
  await client.end();
});

test('Limits that were refused on one connection are open on the next', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect({ maximumQoS: 0, retainAvailable: false });
  assert.deepEqual(await outcomes([client.publish('a', '', { qos: 1 }), client.publish('a', '', { retain: true })]), [
    'qos-not-supported',
    'retain-not-supported',
  ]);
  first.cut();
  const second = await script.accept();
  await until(() => client.status === 'connected');
  assert.equal(client.server.maximumQos, undefined);
  const published = client.publish('a', '', { qos: 1, retain: true });
  const { messageId } = await second.hear('publish');
  second.say({ cmd: 'puback', messageId });
  await published;
  await client.end();
});

test('A subscription that the new server cannot have ends with the reason; the others go on', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect();
  const errors = [];
  client.on('error', ({ code, reason, message }) => errors.push([code, reason, message]));
  const heard = [];
  const wide = client.subscribe('wide/#');
  await first.grant();
  const shared = client.subscribe('$share/g/a');
  await first.grant();
  const own = client.subscribe('own', { identifier: 3 });
  await first.grant();
  const plain = client.subscribe('plain', (message) => heard.push(message.topic));
  await first.grant();
  const loops = [wide, shared, own].map(async (subscribing) => {
    for await (const message of await subscribing) heard.push(message.topic);
  });
  await plain;
  first.cut();
  const second = await script.accept({
    wildcardSubscriptionAvailable: false,
    sharedSubscriptionAvailable: false,
    subscriptionIdentifiersAvailable: false,
  });
  const { subscriptions, properties } = await second.grant();
  assert.deepEqual([subscriptions.map(({ topic }) => topic), properties?.subscriptionIdentifier], [['plain'], undefined]);
  await until(() => errors.length === 3);
  assert.deepEqual(errors.map(([code, reason]) => [code, reason]), [['refused', 0xa2], ['refused', 0x9e], ['refused', 0xa1]]);
  assert.match(errors[0][2], /^The subscription to "wide\/#" was refused on a new connection: 0xa2/);
  assert.deepEqual(await outcomes(loops), ['refused', 'refused', 'refused']);
  second.say({ cmd: 'publish', topic: 'plain', payload: '', qos: 0, dup: false, retain: false });
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ['plain']);
  await second.hearNothingBefore(client);
  await client.end();
});

test('What was under way is sent again, whole, no more at a time than the new Receive Maximum', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect({ topicAliasMaximum: 1 });
  const published = outcomes([1, 2, 1, 2].map((qos, number) => client.publish('same', `${number}`, { qos })));
  assert.deepEqual(await first.hearPublishes(4), ['same, QoS 1, id 1', ', QoS 2, id 2', ', QoS 1, id 3', ', QoS 2, id 4']);
  first.say({ cmd: 'pubrec', messageId: 4 });
  await first.hear('pubrel');
  first.cut();
  const second = await script.accept({ receiveMaximum: 2 }, { sessionPresent: true });
  assert.deepEqual(await second.hearPublishes(2), ['same, QoS 1, id 1, dup', 'same, QoS 2, id 2, dup']);
  await second.hearNothingBefore(client);
  second.say({ cmd: 'puback', messageId: 1 });
  assert.deepEqual(await second.hearPublishes(1), ['same, QoS 1, id 3, dup']);
  assert.equal((await second.hear('pubrel')).messageId, 4); // it waits for its turn, and for nothing else
  const later = client.publish('later', '', { qos: 1 });
  await second.hearNothingBefore(client);
  second.say({ cmd: 'puback', messageId: 3 });
  const { topic, messageId } = await second.hear('publish');
  assert.equal(topic, 'later');
  second.say({ cmd: 'puback', messageId });
  await later;
  second.say({ cmd: 'pubrec', messageId: 2 });
  await second.hear('pubrel');
  second.say({ cmd: 'pubcomp', messageId: 4 }, { cmd: 'pubcomp', messageId: 2 });
  assert.deepEqual(await published, ['ok', 'ok', 'ok', 'ok']);
  await client.end();
});

test('What was under way and breaks the new limits is given up, and its identifier is released', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect();
  const published = outcomes([client.publish('a', 'x'.repeat(50), { qos: 2 }), client.publish('b', '', { qos: 1 })]);
  assert.deepEqual(await first.hearPublishes(2), ['a, QoS 2, id 1', 'b, QoS 1, id 2']);
  first.cut();
  const second = await script.accept({ maximumPacketSize: 40, maximumQoS: 1 }, { sessionPresent: true });
  assert.equal((await second.hear('pubrel')).messageId, 1);
  assert.deepEqual(await second.hearPublishes(1), ['b, QoS 1, id 2, dup']);
  second.say({ cmd: 'pubcomp', messageId: 1 }, { cmd: 'puback', messageId: 2 });
  assert.deepEqual((await published)[1], 'ok');
  assert.match((await published)[0], /^(packet-too-large|qos-not-supported)$/);
  await client.end();
});

test('A server that lost the session gets QoS 1 anew; whether it has a QoS 2 message is not known', async () => {
  const script = new ScriptedServer();
  const [client, first] = await script.connect();
  const published = outcomes([2, 1, 2].map((qos, number) => client.publish(`${number}`, '', { qos })));
  await first.hearPublishes(3);
  first.say({ cmd: 'pubrec', messageId: 1 });
  await first.hear('pubrel');
  first.cut();
  const second = await script.accept({}, { sessionPresent: false });
  const publish = await second.hear('publish');
  assert.deepEqual([publish.topic, publish.dup], ['1', false]);
  second.say({ cmd: 'puback', messageId: publish.messageId });
  assert.deepEqual(await published, ['interrupted', 'ok', 'interrupted']);
  await second.hearNothingBefore(client);
  await client.end();
});

test('QoS 2 messages that came before a connection was lost come once, with the session and without', async () => {
  for (const sessionPresent of [true, false]) {
    const script = new ScriptedServer();
    const [client, first] = await script.connect();
    const heard = [];
    await Promise.all([client.subscribe('a', { qos: 2 }, (message) => heard.push(message.text())), first.grant(2)]);
    const message = (payload, dup) => ({ cmd: 'publish', topic: 'a', payload, qos: 2, dup, retain: false, messageId: 1 });
    first.say(message('first', false));
    await first.hear('pubrec');
    first.cut();
    const second = await script.accept({}, { sessionPresent });
    if (sessionPresent) {
      second.say(message('first', true));
      await second.hear('pubrec');
      assert.deepEqual(heard, ['first']);
    } else {
      await second.grant(2);
      second.say(message('second', false)); // a new session counts anew
      await second.hear('pubrec');
      assert.deepEqual(heard, ['first', 'second']);
    }
    second.say({ cmd: 'pubrel', messageId: 1 });
    assert.equal((await second.hear('pubcomp')).messageId, 1);
    await client.end();
  }
});
