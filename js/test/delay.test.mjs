import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { Time, until } from './support.mjs';

/** A broker whose state outlives it, and a client that hears all. */
async function world(options = {}, stored = new Map()) {
  const storage = {
    load: () => [...stored.values()],
    commit: (changes) => {
      for (const { key, value } of changes) {
        if (value) stored.set(String(key), { key, value });
        else stored.delete(String(key));
      }
    },
  };
  const broker = await Broker.open({ storage, ...options });
  const heard = [];
  const client = await broker.connect();
  await client.subscribe('#', (message) => void heard.push([message.topic, message.text()]));
  return { broker, client, heard, stored };
}

test('A delayed message is published when it is due, by the next broker too', async () => {
  const time = new Time();
  const first = await world(time.options());
  await first.client.publish('$delayed/60/a/b', 'x', { qos: 1 });
  await first.broker.publish('$delayed/30/c', 'y', { grants: [{ filter: 'c' }] });
  assert.equal(first.broker.statistics().messagesDelayed, 2);
  time.pass(30_000);
  await until(() => first.heard.length === 1);
  assert.deepEqual(first.heard, [['c', 'y']]);
  first.broker.abandon();
  const next = await world(time.options(), first.stored);
  time.pass(29_999);
  await next.client.publish('now', 'z', { qos: 1 });
  time.pass(1);
  await until(() => next.heard.length === 2);
  assert.deepEqual(next.heard, [['now', 'z'], ['a/b', 'x']]);
  await next.broker.close();
});

test('What says no delay, or more than may be, is refused', async () => {
  const { broker, client } = await world({ maximumDelaySeconds: 60, maximumDelayedMessages: 1 });
  for (const topic of ['$delayed/a', '$delayed/61/a', '$delayed/1']) {
    await assert.rejects(client.publish(topic, 'x', { qos: 1 }), { code: 'refused', reason: 0x90 });
    await assert.rejects(broker.publish(topic, 'x'), { code: 'refused', reason: 0x90 });
  }
  await assert.rejects(broker.publish('$delayed/1/a', 'x', { grants: [{ filter: 'b' }] }), { code: 'refused', reason: 0x87 });
  await client.publish('$delayed/60/a', 'x', { qos: 1 });
  await assert.rejects(client.publish('$delayed/60/a', 'x', { qos: 2 }), { code: 'refused', reason: 0x97 });
  await broker.close();
});

test('What is delayed goes along with an export', async () => {
  const time = new Time();
  const source = await Broker.open(time.options());
  await source.publish('$delayed/60/a', 'x');
  const file = await source.export();
  await source.close();
  const { broker, heard, client } = await world(time.options());
  assert.equal(await broker.import(file), 0);
  await until(() => client.status === 'ended' || client.status === 'connected');
  assert.equal(broker.statistics().messagesDelayed, 1);
  const listener = await broker.connect();
  await listener.subscribe('#', (message) => void heard.push([message.topic, message.text()]));
  time.pass(60_000);
  await until(() => heard.length > 0);
  assert.deepEqual(heard[0], ['a', 'x']);
  await broker.close();
});

test('What the host publishes for somebody is reviewed after it was taken', async () => {
  const rules = [{ filter: 'r/#', action: 'review' }];
  const asked = [];
  const review = (message, publisher) => {
    asked.push([message.topic, publisher]);
    return { type: 'rewrite', topic: 'reviewed', payload: 'y' };
  };
  const { broker, heard } = await world({ rules, review });
  assert.equal((await broker.publish('r/1', 'x', { userName: 'ada' })).reason, 0);
  await until(() => heard.length === 1);
  assert.deepEqual(heard, [['reviewed', 'y']]);
  assert.deepEqual(asked, [['r/1', { clientId: '', userName: 'ada' }]]);
  await broker.close();
});
