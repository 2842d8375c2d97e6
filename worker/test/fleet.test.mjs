// A room with much in it: a thousand clients asleep, ten thousand sessions on the disk.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { publish, subscribe } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

const CLIENTS = 1000;
const SESSIONS = 10_000;

let workerd;
before(async () => (workerd = await startSteered({ settings: { limits: {} } })));
after(() => workerd.stop());

test('One publish wakes a room of a thousand clients, and all of them get it', async () => {
  const room = workerd.room('asleep');
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, number) => room.connect({ clientId: `client-${number}` })));
  for (const client of clients) client.send(subscribe('a'));
  for (const client of clients) await client.hears('9003000100');
  await room.evict();
  await room.steer('publish', { topic: 'a', payload: 'awake' });
  for (const client of clients) await client.hears(publish('a', 'awake'));
  assert.equal((await room.facts()).started, 2);
  console.log(`${CLIENTS} of ${CLIENTS} clients that slept got the message`);
  await Promise.all(clients.map((client) => client.close()));
});

test('Ten thousand sessions and as many retained messages are there again', async () => {
  const room = workerd.room('restored');
  await room.steer('populate', { count: SESSIONS });
  const statistics = async () => {
    const begin = performance.now();
    const result = await room.steer('statistics');
    return { ...result, milliseconds: performance.now() - begin };
  };
  const times = [];
  for (let time = 0; time < 3; time += 1) {
    await room.evict();
    const woken = await statistics();
    assert.deepEqual([woken.sessions, woken.subscriptions, woken.retainedMessages], [SESSIONS, 2 * SESSIONS, SESSIONS]);
    const awake = await statistics();
    times.push(Math.round(woken.milliseconds - awake.milliseconds));
  }
  const bytes = await room.steer('size');
  console.log(`${SESSIONS} sessions with 2 subscriptions each and ${SESSIONS} retained messages, ${bytes} bytes: restored in ${times.join(', ')} ms`);
});
