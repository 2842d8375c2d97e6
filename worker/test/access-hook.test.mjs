// A subclass that decides itself who is let in, and what passwords cost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { start } from '../local.mjs';

const log = [];
let workerd;
before(async () => {
  const entry = fileURLToPath(new URL('hooked.js', import.meta.url));
  workerd = await start({ entry, settings: { authentication: { passwordIterations: 2_000 } }, log: (line) => log.push(line) });
});
after(() => workerd.stop());

const connect = (options) => mqtt.connectAsync(`ws://127.0.0.1:${workerd.port}/mqtt`, { protocolVersion: 5, reconnectPeriod: 0, ...options }, false);

test('The hook lets in, as whom and with what it likes', async () => {
  const client = await connect({ username: 'ada', wsOptions: { headers: { 'CF-Connecting-IP': '192.0.2.99' } } });
  const granted = await client.subscribeAsync('next/neighbour/a', { qos: 1 });
  assert.deepEqual(granted.map(({ qos }) => qos), [1]);
  await assert.rejects(client.subscribeAsync('next/ada/a', { qos: 1 }));
  await client.endAsync(true);
});

test('What it leaves to the settings they decide', async () => {
  await assert.rejects(connect({}), { code: 0x87 });
  await assert.rejects(connect({ username: 'ada', password: 'pencil and paper' }), { code: 0x86 });
});

test('It may send a client elsewhere', async () => {
  await assert.rejects(connect({ username: 'elsewhere' }), { code: 0x9c });
});

test('A hook that throws keeps the client out', async () => {
  await assert.rejects(connect({ username: 'throws' }), { code: 0x80 });
});

test('A wrong password is as much work for a user who does not exist, and a right one none when it comes again', async () => {
  const ask = async (path) => (await fetch(`http://127.0.0.1:${workerd.port}${path}`)).text();
  await ask('/work');
  await ask('/users?name=ada');
  await ask('/users?name=eve');
  assert.equal(await ask('/work'), '[2000,2000]');
  for (const username of ['ada', 'nobody', 'eve', '', '__proto__']) {
    for (const password of ['wrong', '', Buffer.from([0xff]), 'w'.repeat(5_000)]) {
      await assert.rejects(connect({ username, password }), { code: 0x86 });
      assert.equal(await ask('/work'), '[2000]', `${username}: ${String(password).slice(0, 10)}`);
    }
  }
  for (const work of ['[2000]', '[]', '[]']) {
    await (await connect({ username: 'eve', password: 'pencil and paper' })).endAsync(true);
    assert.equal(await ask('/work'), work);
  }
});

test('A login looks at its own user, however many have names that begin so', async () => {
  const ask = async (path) => (await fetch(`http://127.0.0.1:${workerd.port}${path}`)).text();
  for (const name of ['mary', 'mary-ann', 'mary-jane', 'maryam']) await ask(`/users?name=${name}`);
  await (await connect({ username: 'mary', password: 'pencil and paper' })).endAsync(true);
  await assert.rejects(connect({ username: 'mar', password: 'pencil and paper' }), { code: 0x86 });
  assert.equal(await ask('/copies'), '0');
});
