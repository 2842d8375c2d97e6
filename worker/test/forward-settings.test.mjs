// A forward whose settings change between two deployments.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { receive } from './receiver.mjs';
import { startSteered } from './steering.mjs';

let data;
let hook;
before(async () => {
  data = await mkdtemp(join(tmpdir(), 'mqlite-worker-data-'));
  hook = await receive();
});
after(async () => {
  await hook.stop();
  await rm(data, { recursive: true, force: true });
});

/** Runs the Worker with these forwards while `use` is at work with a client and the room. */
async function deployed(forward, use) {
  const quick = { webhook: hook.url, loopback: true, maximumAttempts: 1000, minimumDelayMillis: 10, maximumDelayMillis: 40 };
  const workerd = await startSteered({ data, settings: { forward: forward.map((it) => ({ ...quick, ...it })) } });
  try {
    const room = workerd.room('harbour');
    const client = await mqtt.connectAsync(room.url, { protocolVersion: 5, reconnectPeriod: 0 });
    await use((topic) => client.publishAsync(topic, topic, { qos: 1 }), room);
    await client.endAsync();
  } finally {
    await workerd.stop();
  }
}

const topics = () => hook.taken.map(({ topic }) => topic);

test('What waits goes on under the same name, and a new filter holds for what comes', async () => {
  hook.answer = () => 503;
  await deployed([{ name: 'hook', filter: 'old/#' }], async (publish) => {
    await publish('old/1');
    await publish('old/2');
    await hook.until(() => hook.requests.length > 0);
  });
  hook.answer = () => 200;
  await deployed([{ name: 'hook', filter: 'new/#' }], async (publish) => {
    await hook.until(() => topics().length === 2);
    await publish('old/3');
    await publish('new/1');
    await hook.until(() => topics().length === 3);
  });
  assert.deepEqual(topics(), ['old/1', 'old/2', 'new/1']);
});

test('The numbers of messages go on', () => {
  const numbers = hook.taken.map(({ id }) => id.slice(id.lastIndexOf('-') + 1));
  assert.deepEqual(numbers, ['1', '2', '3']);
});

test('A forward that is taken away leaves nothing', async () => {
  hook.answer = () => 503;
  await deployed([{ name: 'hook', filter: 'new/#' }], async (publish, room) => {
    await publish('new/2');
    const { sessions, messagesStored } = await room.steer('statistics');
    assert.deepEqual([sessions, messagesStored], [2, 1]);
  });
  await deployed([], async (_, room) => {
    for (;;) {
      const { sessions, messagesStored } = await room.steer('statistics');
      if (sessions === 1 && messagesStored === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(await room.steer('query', { sql: 'SELECT name FROM forwards' }), []);
  });
});

test('A room that is replaced by a file begins with numbers that nobody has seen', async () => {
  hook.answer = () => 200;
  await deployed([{ name: 'hook', filter: 'new/#' }], async (publish, room) => {
    const before = hook.taken.length;
    await publish('new/3');
    await hook.until(() => hook.taken.length === before + 1);
    await room.import(await room.export());
    const client = await mqtt.connectAsync(room.url, { protocolVersion: 5, reconnectPeriod: 0 });
    await client.publishAsync('new/4', 'new/4', { qos: 1 });
    await hook.until(() => hook.taken.length === before + 2);
    const [one, other] = hook.taken.slice(before).map(({ id }) => id);
    assert.notEqual(one.slice(0, one.lastIndexOf('-')), other.slice(0, other.lastIndexOf('-')));
    await client.endAsync();
  });
});
