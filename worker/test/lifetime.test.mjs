// The tests that wait for time to pass wait together.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, open, packet, publish, subscribe, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

const SUBACK = '9003000100';

let workerd;
before(async () => (workerd = await startSteered()));
after(() => workerd.stop());

const url = (room) => `ws://127.0.0.1:${workerd.port}/mqtt/${room}`;

describe('A room', { concurrency: true }, () => {
  test('closes a client that is silent for longer than its Keep Alive, and publishes its will', async () => {
    const watcher = await connect(url('silent'), { clientId: 'watcher' });
    watcher.send(subscribe('will'));
    await watcher.hears(SUBACK);
    const silent = await connect(url('silent'), { clientId: 'silent', keepAlive: 1, will: 'silent' });
    await silent.closed;
    await watcher.hears(publish('will', 'silent'));
    await watcher.close();
  });

  test('holds a will back for its delay, and until then drops it when the client returns', async () => {
    const watcher = await connect(url('delayed'), { clientId: 'watcher' });
    watcher.send(subscribe('will'));
    await watcher.hears(SUBACK);
    // MQTT 5, session for 60 s, a will of the topic `will` delayed by 1 s
    const mortal = (clientId) => {
      const will = `0518${'00000001'}${text('will')}${text(clientId)}`;
      return packet('10', `${text('MQTT')}050400000511${'0000003c'}${text(clientId)}${will}`);
    };
    for (const clientId of ['returns', 'stays away']) {
      const client = await open(url('delayed'));
      client.send(mortal(clientId));
      await client.packet();
      await client.close();
    }
    const back = await open(url('delayed'));
    back.send(mortal('returns'));
    await back.packet();
    await watcher.hears(publish('will', 'stays away'));
    await Promise.all([back.close(), watcher.close()]);
  });

  test('keeps a client whose Keep Alive moves its deadline on', async () => {
    const client = await connect(url('lively'), { clientId: 'lively', keepAlive: 1 });
    for (let second = 0; second < 4; second += 1) {
      await sleep(1000);
      client.send('c000');
      await client.hears('d000');
    }
    await client.close();
  });

  test('sleeps when nothing happens, and its clients cannot tell', async () => {
    const idle = await connect(url('idle'), { clientId: 'idle' });
    idle.send(subscribe('a'));
    await idle.hears(SUBACK);
    // The runtime puts an object to sleep after ten seconds without an event.
    await sleep(15_000);
    idle.send(publish('a', 'still here'));
    await idle.hears(publish('a', 'still here'));
    assert.equal((await workerd.room('idle').facts()).started, 2);
    await idle.close();
  });
});
