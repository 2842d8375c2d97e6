// workerd is killed at random moments under load, and started again on the same disk.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../local.mjs';
import { PersistentClient } from './persistent-client.mjs';

const ROUNDS = 20;
/** Messages of each publisher that are not acknowledged at a time. */
const WINDOW = 20;
/** The most messages that are acknowledged between two kills. */
const MOST = 400;

test('What was acknowledged is there after a SIGKILL: QoS 1 is not lost, QoS 2 is neither lost nor doubled', { timeout: 120_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'mqlite-worker-data-'));
  const publishers = { 1: new PersistentClient('publisher-1'), 2: new PersistentClient('publisher-2') };
  const subscribers = { 1: new PersistentClient('subscriber-1'), 2: new PersistentClient('subscriber-2') };
  const away = { 1: new PersistentClient('away-1'), 2: new PersistentClient('away-2') };
  const published = { 1: [], 2: [] };
  const all = [...Object.values(subscribers), ...Object.values(publishers)];
  let workerd;
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      workerd = await start({ data, settings: { limits: { maximumQueuedMessages: 100_000 } } });
      const url = `ws://127.0.0.1:${workerd.port}/mqtt`;
      if (round === 0) {
        for (const qos of [1, 2]) {
          for (const client of [subscribers[qos], away[qos]]) {
            await client.connect(url);
            await client.subscribe(`qos/${qos}`, qos);
          }
          await away[qos].close();
        }
        for (const client of Object.values(publishers)) await client.connect(url);
      } else {
        for (const client of all) assert.ok(await client.connect(url), 'the session is there');
      }
      const goal = total(publishers) + randomInt(1, MOST);
      await new Promise((resolve) => {
        for (const qos of [1, 2]) {
          const go = () => {
            const isLast = round === ROUNDS;
            while (!isLast && publishers[qos].inFlight < WINDOW) {
              const payload = `${qos}-${published[qos].length}`;
              published[qos].push(payload);
              publishers[qos].publish(`qos/${qos}`, payload, qos);
            }
            const isDone = Object.values(publishers).every(({ inFlight }) => inFlight === 0);
            if (isLast ? isDone : total(publishers) >= goal) resolve();
          };
          publishers[qos].heard = go;
          go();
        }
      });
      if (round === ROUNDS) break;
      for (const client of Object.values(publishers)) client.heard = () => {};
      await workerd.stop();
      await Promise.all(all.map((client) => client.listening));
    }
    const url = `ws://127.0.0.1:${workerd.port}/mqtt`;
    for (const qos of [1, 2]) {
      assert.ok(await away[qos].connect(url), 'the session is there');
      for (const client of [subscribers[qos], away[qos]]) await hearsAll(client, publishers[qos].acknowledged);
    }
    for (const [who, { 1: one, 2: two }] of Object.entries({ 'Connected subscribers': subscribers, 'Subscribers that were away': away })) {
      const lost = (client, payloads) => [...payloads].filter((payload) => !client.received.has(payload)).length;
      const doubled = [...two.received.values()].filter((count) => count > 1).length;
      const lostOnes = lost(one, publishers[1].acknowledged);
      const lostTwos = lost(two, published[2]);
      console.log(
        `${who}, ${ROUNDS} kills: QoS 1 acknowledged ${publishers[1].acknowledged.size}, lost ${lostOnes}; ` +
          `QoS 2 published ${published[2].length}, lost ${lostTwos}, duplicated ${doubled}`,
      );
      assert.deepEqual([lostOnes, lostTwos, doubled], [0, 0, 0]);
    }
  } finally {
    await workerd?.stop();
    await rm(data, { recursive: true, force: true });
  }
});

const total = (publishers) => publishers[1].acknowledged.size + publishers[2].acknowledged.size;

/** Resolves when all of these payloads came; gives up when nothing comes any more. */
function hearsAll(client, payloads) {
  return new Promise((resolve) => {
    let limit;
    client.heard = () => {
      clearTimeout(limit);
      if ([...payloads].every((payload) => client.received.has(payload))) return resolve();
      limit = setTimeout(resolve, 10_000);
    };
    client.heard();
  });
}
