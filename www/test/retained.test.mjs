// Finding, deleting and putting back what a broker keeps: the broker is ours, in this process.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { deleteRetained, findRetained, putBack } from '../src/model/retained.ts';

describe('retained messages', () => {
  let broker, client;

  beforeEach(async () => {
    broker = await Broker.open();
    client = await broker.connect({ clientId: 'reader' });
    const properties = { contentType: 'text/plain', userProperties: [['a', 'b'], ['a', 'c']], correlationData: Uint8Array.of(1) };
    await broker.publish('house/attic', 'warm', { qos: 2, retain: true, properties });
    await broker.publish('house/cellar', 'cold', { qos: 1, retain: true });
    await broker.publish('house', 'home', { retain: true });
    await broker.publish('garden', 'green', { retain: true });
  });

  afterEach(async () => {
    await client.end();
    await broker.close();
  });

  test('are found below a topic, with their QoS and properties, and no subscription is left', async () => {
    const { messages, isWhole } = await findRetained(client, 'house/#');
    assert.equal(isWhole, true);
    assert.deepEqual(messages.map(said), [['house', 'home', 0], ['house/attic', 'warm', 2], ['house/cellar', 'cold', 1]]);
    assert.deepEqual(messages[1].properties.userProperties, [['a', 'b'], ['a', 'c']]);
    assert.equal(broker.clients().items.find(({ clientId }) => clientId === 'reader').subscriptions, 0);
    assert.deepEqual((await findRetained(client, 'house')).messages.map(said), [['house', 'home', 0]]);
  });

  test('are found where the client is subscribed already, and it stays so', async () => {
    const heard = [];
    await client.subscribe('house/#', { qos: 1 }, ({ topic }) => void heard.push(topic));
    const { messages } = await findRetained(client, 'house/#', { qos: 1 });
    assert.equal(messages.length, 3);
    await broker.publish('house/door', 'open', { qos: 1 });
    while (!heard.includes('house/door')) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('are deleted, and put back as they were', async () => {
    const before = kept(broker);
    const { messages } = await findRetained(client, 'house/#');
    const deleted = await deleteRetained(publish(client), messages, 1);
    assert.equal(deleted.done.length, 3);
    assert.deepEqual(kept(broker).map(({ topic }) => topic), ['garden']);
    const restored = await putBack(publish(client), deleted.done);
    assert.deepEqual([restored.done.length, restored.refused.length], [3, 0]);
    assert.deepEqual(kept(broker), before);
  });

  test('come back with what is left of their time, or not at all', async () => {
    await broker.publish('house/oven', 'hot', { retain: true, properties: { messageExpiryInterval: 100 } });
    const { messages } = await findRetained(client, 'house/oven');
    const [{ time }] = messages;
    await deleteRetained(publish(client), messages, 1);
    const tooLate = await putBack(publish(client), messages, time + 100_000);
    assert.deepEqual([tooLate.done.length, tooLate.refused.length], [0, 1]);
    await putBack(publish(client), messages, time + 40_000);
    const [oven] = (await findRetained(client, 'house/oven')).messages;
    assert.ok(oven.properties.messageExpiryInterval <= 60, String(oven.properties.messageExpiryInterval));
  });

  test('that may not be deleted are named', async () => {
    const { messages } = await findRetained(client, 'house/#');
    const deleted = await deleteRetained(async ({ topic }) => topic !== 'house/attic', messages, 1);
    assert.deepEqual(deleted.refused.map(({ topic }) => topic), ['house/attic']);
    assert.equal(deleted.done.length, 2);
  });
});

function publish(client) {
  return async ({ topic, payload, ...options }) => {
    await client.publish(topic, payload, options);
    return true;
  };
}

function said({ topic, payload, qos }) {
  return [topic, new TextDecoder().decode(payload), qos];
}

function kept(broker) {
  const { items } = broker.retained('#');
  return items.map(({ topic, payload, qos, properties }) => ({ topic, payload: [...payload], qos, properties: JSON.stringify(properties) }));
}
