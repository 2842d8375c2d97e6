import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Time, until, withBroker } from './support.mjs';

const REVIEW_ALL = [{ filter: '#', action: 'review' }];

/** What a client publishes, and a client that hears all of it. */
async function world(options) {
  const broker = await Broker.open(options);
  const heard = [];
  const listener = await broker.connect();
  await listener.subscribe('#', (message) => void heard.push([message.topic, message.text()]));
  const client = await broker.connect({ clientId: 'ada', userName: 'lovelace' });
  return { broker, client, heard };
}

test('Rules drop, refuse and rewrite what clients publish, and the first that matches counts', async () => {
  const rules = [
    { filter: 'drop/#', action: 'drop' },
    { filter: 'refuse', action: 'refuse' },
    { filter: 'in/+/#', action: 'rewrite', topic: 'out/%u/%c/$2/$1' },
    { filter: '#', action: 'rewrite', topic: 'rest/$1' },
  ];
  const { broker, client, heard } = await world({ rules });
  await client.publish('drop/a', '1', { qos: 1 });
  await assert.rejects(client.publish('refuse', '2', { qos: 1 }), { code: 'refused', reason: 0x87 });
  await client.publish('in/a/b/c', '3', { qos: 1 });
  await client.publish('x/y', '4', { qos: 2 });
  await broker.publish('in/a/b', '5');
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [['out/lovelace/ada/b/c/a', '3'], ['rest/x/y', '4'], ['in/a/b', '5']]);
  await broker.close();
});

test('A rule that is none is refused, and is named', async () => {
  for (const [rule, message] of [
    [{ filter: 'a/#/b', action: 'drop' }, /rules\[0\]/],
    [{ filter: 'a', action: 'accept' }, /rules\[0\]: .*drop, refuse, rewrite or review/],
    [{ filter: 'a', action: 'rewrite', topic: '$1' }, /wildcard/],
    [{ filter: 'a', action: 'review' }, /"review"/],
    [{ filter: 'a', action: 'drop', to: 'b' }, /rules\[0\].to/],
  ]) {
    await assert.rejects(Broker.open({ rules: [rule] }), { code: 'invalid-options', message });
  }
  await assert.rejects(Broker.open({ reviewFallback: 'retry' }), { code: 'invalid-options', message: /reviewFallback/ });
});

test('A review hears of the message and its publisher, and decides', async () => {
  const asked = [];
  const decisions = {
    a: { type: 'accept' },
    b: { type: 'rewrite', topic: 'b2', payload: { n: 1 } },
    c: { type: 'drop' },
    d: { type: 'refuse', reason: 0x99 },
    e: { type: 'refuse' },
  };
  const review = async (message, publisher) => {
    asked.push([message, publisher]);
    return decisions[message.topic];
  };
  const { broker, client, heard } = await world({ rules: REVIEW_ALL, review });
  const properties = { contentType: 'text/plain', userProperties: [['k', 'v']] };
  await client.publish('a', 'x'.repeat(100_000), { qos: 1, retain: true, properties });
  await client.publish('b', '1', { qos: 2 });
  await client.publish('c', '1', { qos: 1 });
  await assert.rejects(client.publish('d', '1', { qos: 1 }), { reason: 0x99 });
  await assert.rejects(client.publish('e', '1', { qos: 1 }), { reason: 0x87 });
  await until(() => heard.length === 2);
  assert.deepEqual(heard.map(([topic, text]) => [topic, text.slice(0, 9)]), [['a', 'xxxxxxxxx'], ['b2', '{"n":1}']]);
  const [{ payload, ...message }, publisher] = asked[0];
  assert.deepEqual(message, { topic: 'a', qos: 1, retain: true, properties });
  assert.equal(payload.length, 100_000);
  assert.deepEqual(publisher, { clientId: 'ada', userName: 'lovelace' });
  await broker.close();
});

test('A review that fails, says nothing that is a decision or is late leaves it to the fallback', async () => {
  const reported = [];
  const { reportError } = globalThis;
  globalThis.reportError = (error) => reported.push(error.message);
  const events = [];
  const time = new Time();
  const review = (message) => {
    if (message.topic === 'throws') throw new Error('no');
    if (message.topic === 'late') return new Promise(() => {});
    return message.topic === 'nothing' ? undefined : { type: 'rewrite', topic: 5 };
  };
  const onEvent = (event) => event.type === 'reviewFailed' && events.push([event.clientId, event.topic]);
  const options = { rules: REVIEW_ALL, review, reviewFallback: 'accept', reviewTimeoutMillis: 1_000, onEvent, ...time.options() };
  const { broker, client, heard } = await world(options);
  try {
    for (const topic of ['throws', 'nothing', 'wrong']) await client.publish(topic, 'x', { qos: 1 });
    const late = client.publish('late', 'x', { qos: 1 });
    await until(() => broker.statistics().messagesInReview === 1);
    time.pass(1_000);
    await late;
    await until(() => heard.length === 4);
    assert.deepEqual(events, ['throws', 'nothing', 'wrong', 'late'].map((topic) => ['ada', topic]));
    assert.equal(reported.length, 3);
  } finally {
    globalThis.reportError = reportError;
    await broker.close();
  }
});

withBroker('Without rules nobody is asked', async (broker) => {
  const client = await broker.connect();
  await client.publish('a', 'x', { qos: 1 });
  assert.equal(broker.statistics().messagesInReview, 0);
}, { review: () => assert.fail('asked') });
