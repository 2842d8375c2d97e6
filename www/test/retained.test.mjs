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

  /** As a client of its own finds them. */
  async function find(filter, longest) {
    const other = await broker.connect();
    try {
      return await findRetained(other, filter, longest);
    } finally {
      await other.end();
    }
  }

  test('are found below a topic, with their QoS and properties', async () => {
    const { messages, isWhole } = await find('house/#');
    assert.equal(isWhole, true);
    assert.deepEqual(messages.map(said), [['house', 'home', 0], ['house/attic', 'warm', 2], ['house/cellar', 'cold', 1]]);
    assert.deepEqual(messages[1].properties.userProperties, [['a', 'b'], ['a', 'c']]);
    assert.deepEqual((await find('house')).messages.map(said), [['house', 'home', 0]]);
  });

  test('are found while others come, which are none of them', async () => {
    let isOver = false;
    const busy = (async () => {
      while (!isOver) {
        await broker.publish('house/gate', 'open', { retain: false });
        await broker.publish('house/cellar', 'colder', { retain: true });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const { messages, isWhole } = await find('house/#');
    isOver = true;
    await busy;
    assert.deepEqual(messages.map(({ topic }) => topic), ['house', 'house/attic', 'house/cellar']);
    assert.equal(isWhole, true);
  });

  test('are looked at for so long, and no longer', async () => {
    const { isWhole } = await find('house/#', 100);
    assert.equal(isWhole, false);
  });

  test('are not none when the connection is lost meanwhile', async () => {
    const other = await broker.connect({ clientId: 'other', reconnect: false });
    const lost = findRetained(other, 'house/#');
    broker.disconnect('other');
    await assert.rejects(lost, { code: 'interrupted' });
  });

  test('are deleted, and put back as they were', async () => {
    const before = kept(broker);
    const { messages } = await find('house/#');
    const deleted = await deleteRetained(publish(client), messages, 1);
    assert.equal(deleted.done.length, 3);
    assert.deepEqual(kept(broker).map(({ topic }) => topic), ['garden']);
    const restored = await putBack(publish(client), deleted.done);
    assert.deepEqual([restored.done.length, restored.refused.length], [3, 0]);
    assert.deepEqual(kept(broker), before);
  });

  test('come back with what is left of their time, or not at all', async () => {
    await broker.publish('house/oven', 'hot', { retain: true, properties: { messageExpiryInterval: 100 } });
    const { messages } = await find('house/oven');
    const [{ time }] = messages;
    await deleteRetained(publish(client), messages, 1);
    const tooLate = await putBack(publish(client), messages, time + 100_000);
    assert.deepEqual([tooLate.done.length, tooLate.refused.length], [0, 1]);
    await putBack(publish(client), messages, time + 40_000);
    const [oven] = (await find('house/oven')).messages;
    assert.ok(oven.properties.messageExpiryInterval <= 60, String(oven.properties.messageExpiryInterval));
  });

  test('that may not be deleted are named', async () => {
    const { messages } = await find('house/#');
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
