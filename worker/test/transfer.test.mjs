// State goes round: from a process into a broker of the package, as in a tab, from there into a room, and into a process again.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Broker } from 'mqlite/broker';
import mqtt from 'mqtt';
import { startSteered } from './steering.mjs';

const MQLITE = fileURLToPath(new URL('../../target/debug/mqlite', import.meta.url));
const ABSENTEE = { clientId: 'absentee', clean: false, protocolVersion: 5, properties: { sessionExpiryInterval: 3600 } };

let folder;
let workerd;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mqlite-transfer-'));
  workerd = await startSteered();
});
after(async () => {
  await workerd.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Serves what `directory` has while `use` is at work with the server's address. */
async function serving(directory, use) {
  const server = spawn(MQLITE, ['serve', '--data', directory, '--ws', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(server, 'exit');
  try {
    const address = await new Promise((resolve, reject) => {
      createInterface(server.stderr)
        .on('line', (line) => /listening on ws:/.test(line) && resolve(/ws:\S+/.exec(line)[0]))
        .on('close', () => reject(new Error('mqlite ended before it listened: is it built?')));
    });
    await use(address);
  } finally {
    server.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  }
}

test('What one host keeps is there on the next, as often as it moves', async () => {
  const [first, last] = ['first', 'last'].map((name) => join(folder, name));
  const [exported, arrived] = ['exported', 'arrived'].map((name) => join(folder, name));
  await serving(first, async (address) => {
    const absentee = await mqtt.connectAsync(address, ABSENTEE);
    await absentee.subscribeAsync('news/#', { qos: 2 });
    await absentee.endAsync();
    const other = await mqtt.connectAsync(address, { protocolVersion: 5 });
    for (const number of [1, 2, 3]) await other.publishAsync('news/today', `${number}`, { qos: 2 });
    await other.publishAsync('weather', 'sunny', { qos: 1, retain: true });
    await other.endAsync();
  });
  execFileSync(MQLITE, ['export', '--data', first, exported], { stdio: 'pipe' });

  const broker = await Broker.open();
  assert.equal(await broker.import(new Uint8Array(await readFile(exported))), 0);
  const { sessions, messagesStored, retainedMessages } = broker.statistics();
  assert.deepEqual([sessions, messagesStored, retainedMessages], [1, 3, 1]);
  const file = await broker.export();
  await broker.close();

  const room = workerd.room('transfer');
  assert.equal(await room.import(file), 0);
  await room.evict();
  await writeFile(arrived, await room.export());

  execFileSync(MQLITE, ['import', '--data', last, arrived], { stdio: 'pipe' });
  await serving(last, async (address) => {
    const heard = [];
    const client = mqtt.connect(address, ABSENTEE);
    const isPresent = new Promise((resolve) => client.once('connect', ({ sessionPresent }) => resolve(sessionPresent)));
    await new Promise((resolve) => {
      client.on('message', (topic, payload) => {
        heard.push(`${topic} ${payload}`);
        if (heard.length === 4) resolve();
      });
      client.once('connect', () => client.subscribe('weather'));
    });
    await client.endAsync();
    assert.equal(await isPresent, true);
    assert.deepEqual(heard.sort(), ['news/today 1', 'news/today 2', 'news/today 3', 'weather sunny']);
  });
});
