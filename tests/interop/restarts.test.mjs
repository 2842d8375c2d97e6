// Our client and `mqlite serve` that is killed under it, again and again, and started anew with the same data.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../../js/dist/index.js';
import { startServer } from './server.mjs';

const RESTARTS = 4;
const MESSAGES = 800;
/** Messages that are under way at a time. */
const WINDOW = 100;

for (const protocolVersion of [4, 5]) {
  test(`MQTT ${protocolVersion}: QoS 2 messages survive a server that is killed and started anew, once and in order`, async (context) => {
    const data = await mkdtemp(join(tmpdir(), 'mqlite-restarts-'));
    let server = await startServer({ data });
    context.after(async () => {
      await server.kill();
      await rm(data, { recursive: true });
    });
    const open = (clientId) =>
      connect(() => new WebSocket(server.ws, 'mqtt'), {
        clientId,
        protocolVersion,
        cleanStart: protocolVersion === 5, // 3.1.1 has no other way to ask that the session be kept
        reconnect: { minimumDelayMillis: 5, maximumDelayMillis: 50 },
      });
    const [publisher, subscriber] = await Promise.all(['publisher', 'subscriber'].map(open));
    context.after(() => Promise.all([publisher.end(), subscriber.end()]));

    const heard = [];
    await subscriber.subscribe('count', { qos: 2 }, (message) => void heard.push(message.text()));
    const published = [];
    for (let number = 0; number < MESSAGES; number += 1) {
      if (number % Math.floor(MESSAGES / (RESTARTS + 1)) === WINDOW) {
        await server.kill();
        server = await startServer({ data });
      }
      published.push(publisher.publish('count', `${number}`, { qos: 2 }));
      published[number].catch(() => {}); // it is waited for later
      if (number >= WINDOW) await published[number - WINDOW];
    }
    await Promise.all(published);
    await Promise.all([publisher.publish('count', 'end', { qos: 2 }), until(() => heard.includes('end'))]);
    const expected = [...Array.from({ length: MESSAGES }, (_, number) => `${number}`), 'end'];
    assert.deepEqual(heard, expected);
  });
}

test('Everything that a client was asked for while there was no server is done when there is one', async (context) => {
  const server = await startServer();
  context.after(() => server.stop());
  let isThere = false;
  const client = await connect(() => new WebSocket(isThere ? server.ws : 'ws://127.0.0.1:9', 'mqtt'), {
    waitForConnection: false,
    reconnect: { minimumDelayMillis: 5, maximumDelayMillis: 50 },
  });
  context.after(() => client.end());
  const heard = [];
  const subscribed = client.subscribe('count', { qos: 2 }, (message) => void heard.push(message.text()));
  const payloads = Array.from({ length: 1_000 }, (_, number) => `${number}`);
  const published = payloads.map((payload, number) => client.publish('count', payload, { qos: 1 + (number % 2) }));
  await assert.rejects(client.publish('count', 'too many', { qos: 1 }), { code: 'queue-full' });
  await until(() => client.status === 'waiting');
  isThere = true;
  await subscribed;
  await Promise.all(published);
  await until(() => heard.length >= payloads.length);
  assert.deepEqual(heard, payloads);
});

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
