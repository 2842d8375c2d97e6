// Messages that are published later: over sleep, and over the end of the process.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { start } from '../local.mjs';
import { startSteered } from './steering.mjs';

const connect = (url, options) => mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options });

/** A client that hears all, in `heard`. */
async function listen(url) {
  const client = await connect(url);
  const heard = [];
  let hear = () => {};
  client.on('message', (topic, payload) => {
    heard.push(`${topic} ${payload}`);
    hear();
  });
  await client.subscribeAsync('#', { qos: 1 });
  const until = async (count) => {
    while (heard.length < count) await new Promise((resolve) => (hear = resolve));
  };
  return { client, heard, until };
}

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

test('A room sleeps until a delayed message is due, and the alarm publishes it then', async () => {
  const room = workerd.room('later');
  await room.time(1_000_000);
  const { client, heard, until } = await listen(room.url);
  await client.publishAsync('$delayed/60/tea', 'ready', { qos: 1 });
  await client.publishAsync('$delayed/30/egg', 'soft', { qos: 1 });
  await room.steer('sleep');
  assert.equal((await room.facts()).alarmAt, 1_030_000);
  await room.time(1_029_999);
  assert.deepEqual(heard, []);
  await room.time(1_030_000);
  await until(1);
  await room.steer('sleep');
  await room.time(1_060_000);
  await until(2);
  assert.deepEqual(heard, ['egg soft', 'tea ready']);
  await client.endAsync();
});

test('A delayed message outlives the process, and comes once', { timeout: 60_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'mqlite-worker-data-'));
  let process;
  try {
    process = await start({ data });
    const first = await connect(`ws://127.0.0.1:${process.port}/mqtt`);
    await first.publishAsync('$delayed/1/tea', 'ready', { qos: 1, retain: true });
    await process.stop();
    process = await start({ data });
    // Nobody but the alarm wakes the room until then, and nobody is there when it is published.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const { client, heard, until } = await listen(`ws://127.0.0.1:${process.port}/mqtt`);
    await until(1);
    await process.stop();
    process = await start({ data });
    const again = await listen(`ws://127.0.0.1:${process.port}/mqtt`);
    await again.client.publishAsync('end', '', { qos: 1 });
    await again.until(2);
    assert.deepEqual([heard, again.heard], [['tea ready'], ['tea ready', 'end ']]);
    await again.client.endAsync();
    await client.endAsync(true).catch(() => {});
  } finally {
    await process?.stop();
    await rm(data, { recursive: true, force: true });
  }
});
