// A room as the Worker's own code has it: called from another Worker, over its binding.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import mqtt from 'mqtt';
import { ADMIN_TOKEN } from '../../tests/interop/http/caller.mjs';
import { start } from '../local.mjs';

let folder;
let workerd;
const log = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mqlite-caller-'));
  const caller = join(folder, 'caller.js');
  await build({
    entryPoints: [fileURLToPath(new URL('caller.js', import.meta.url))],
    outfile: caller,
    bundle: true,
    format: 'esm',
    conditions: ['workerd'],
    external: ['cloudflare:*'],
    plugins: [sameWebAssembly],
  });
  workerd = await start({ callers: { caller }, variables: { ADMIN_TOKEN }, settings: { authentication: { anonymous: true } }, log: (line) => log.push(line), isVerbose: true });
});
after(async () => {
  await workerd.stop();
  await rm(folder, { recursive: true });
});

/** The file that the Worker has, by the name that its build gave it. */
const sameWebAssembly = {
  name: 'same-web-assembly',
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, async () => {
      const { readdir } = await import('node:fs/promises');
      const [name] = (await readdir(new URL('../dist', import.meta.url))).filter((file) => file.endsWith('.wasm'));
      return { path: `./${name}`, external: true };
    });
  },
};

/** Has the other Worker do something with a room. */
async function call(room, order, body) {
  const bytes = body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${workerd.ports.caller}/${room}/${order}`, { method: 'POST', body: bytes });
  return response.json();
}

const connected = (room, options) => mqtt.connectAsync(`ws://127.0.0.1:${workerd.port}/mqtt/${room}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });

test('Another Worker publishes, and clients hear it', async () => {
  const client = await connected('publish');
  const heard = [];
  const all = new Promise((resolve) => client.on('message', (...message) => heard.push(message) === 2 && resolve()));
  await client.subscribeAsync('#', { qos: 1 });
  assert.deepEqual(await call('publish', 'publish', { topic: 'tide/low', payload: { at: '06:12' }, options: { qos: 1 } }), { reason: 0 });
  await call('publish', 'publishBytes', Uint8Array.of(0, 255));
  await all;
  const [[topic, payload, { qos }], [, bytes, packet]] = heard;
  assert.deepEqual([topic, payload.toString(), qos], ['tide/low', '{"at":"06:12"}', 1]);
  assert.deepEqual([[...bytes], packet.properties.contentType], [[0, 255], 'image/x-raw']);
  await client.endAsync(true);
});

test('What is refused comes back as an error with its reason', async () => {
  const { thrown } = await call('refused', 'publish', { topic: 'a/+', payload: 'x' });
  assert.deepEqual([thrown.name, thrown.code, thrown.reason], ['MqttError', 'refused', 0x90]);
  const beyond = await call('refused', 'publish', { topic: 'yours', payload: 'x', options: { userName: 'ann', grants: [{ filter: '%u/#' }] } });
  assert.equal(beyond.thrown.reason, 0x87);
  assert.deepEqual(await call('refused', 'publish', { topic: 'ann/a', payload: 'x', options: { userName: 'ann', grants: [{ filter: '%u/#' }] } }), { reason: 0x10 });
});

test('Many messages are published with one call, and one that is refused keeps no other back', async () => {
  const messages = Array.from({ length: 1_000 }, (_, number) => ({
    topic: `many/${String(number).padStart(4, '0')}`,
    payload: `${number}`,
    retain: true,
    qos: 1,
  }));
  messages[500].topic = 'many/#';
  const outcomes = await call('many', 'publishAll', messages);
  assert.equal(outcomes.length, 1_000);
  assert.deepEqual(new Set(outcomes.map(({ reason }) => reason)), new Set([0x10, 0x90]));
  assert.equal(outcomes[500].reason, 0x90);
  assert.match(outcomes[500].error, /Topic Name invalid/);
  const { items, next } = await call('many', 'retained', { filter: 'many/+', options: { limit: 999 } });
  assert.equal(items.length, 999);
  assert.deepEqual(items[0], ['many/0000', '0']);
  assert.deepEqual(items[500], ['many/0501', '501']);
  if (next !== undefined) assert.deepEqual((await call('many', 'retained', { filter: 'many/+', options: { after: next } })).items, []);
  const { thrown } = await call('many', 'publishAll', Array.from({ length: 10_001 }, () => ({ topic: 'a', payload: '' })));
  assert.equal(thrown.name, 'RangeError');
});

test('Another Worker subscribes, as whom it says', async () => {
  assert.deepEqual(await call('hear', 'hear', { filter: 'boats/+', topic: 'boats/7' }), ['boats/7', 'heard']);
  const options = { identity: { userName: 'ann', grants: [{ filter: 'of/%u/#' }] } };
  assert.deepEqual(await call('hear', 'hear', { options, filter: 'of/ann/+', topic: 'of/ann/a' }), ['of/ann/a', 'heard']);
  const { thrown } = await call('hear', 'hear', { options, filter: 'of/bob/+', topic: 'of/bob/a' });
  assert.deepEqual([thrown.name, thrown.reason], ['MqttError', 0x87]);
});

test('A ticket is of the Worker\'s own code alone: brought from outside it counts for nothing', async () => {
  for (const ticket of [await call('hear', 'admit', {}), crypto.randomUUID()]) {
    const client = await connected('hear', { wsOptions: { headers: { 'Mqlite-Ticket': ticket } } });
    await client.subscribeAsync('open');
    // What it takes to be somebody in particular.
    await assert.rejects(client.subscribeAsync('$SYS/broker/version'));
    await client.endAsync(true);
  }
});

test('A ticket that nobody gave opens no WebSocket', async () => {
  assert.equal(await call('hear', 'upgrade', { 'Mqlite-Ticket': crypto.randomUUID() }), 401);
  assert.equal(await call('hear', 'upgrade', { 'Mqlite-Ticket': await call('hear', 'admit', {}) }), 101);
});

test('Clients are looked at, and kicked', async () => {
  const client = await connected('kick', { clientId: 'noisy', properties: { sessionExpiryInterval: 60 } });
  const [found] = (await call('kick', 'clients')).items;
  assert.deepEqual([found.clientId, found.connected, found.protocolVersion], ['noisy', true, 5]);
  const told = new Promise((resolve) => client.once('disconnect', resolve));
  assert.equal(await call('kick', 'kick', ['noisy']), true);
  assert.equal((await told).reasonCode, 0x98);
  assert.equal(await call('kick', 'kick', ['noisy', { endSession: true }]), true);
  assert.equal(await call('kick', 'kick', ['noisy', { endSession: true }]), false);
  assert.deepEqual((await call('kick', 'clients')).items, []);
});

test('What a room counts is told', async () => {
  await call('stats', 'publish', { topic: 'kept', payload: 'x', options: { retain: true } });
  const { version, uptimeSeconds, authenticationFailures, broker } = await call('stats', 'stats');
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.ok(uptimeSeconds >= 0);
  assert.equal(authenticationFailures, 0);
  assert.equal(broker.retainedMessages, 1);
});

test('Users are added, and removed', async () => {
  assert.deepEqual(await call('users', 'putUser', ['ann', { password: 'a-password' }]), { isNew: true });
  assert.deepEqual(await call('users', 'putUser', ['ann', { grants: [{ filter: 'a' }] }]), { isNew: false });
  assert.deepEqual(await call('users', 'putUser', ['bob', {}]), { error: 'A new user needs a password.' });
  assert.deepEqual(await call('users', 'listUsers'), [{ name: 'ann', grants: [{ filter: 'a' }] }]);
  const client = await connected('users', { username: 'ann', password: 'a-password' });
  const told = new Promise((resolve) => client.once('disconnect', resolve));
  assert.equal(await call('users', 'removeUser', 'ann'), true);
  assert.equal((await told).reasonCode, 0x98);
  assert.equal(await call('users', 'removeUser', 'ann'), false);
});

test('What an operator says wrong of a user is answered, and no failure in the log', async () => {
  const put = async (name, body) => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${workerd.port}/rooms/wrong/users/${name}`, { method: 'PUT', headers, body: JSON.stringify(body) });
    return [response.status, (await response.json()).error];
  };
  assert.deepEqual(await put('bob', {}), [400, 'A new user needs a password.']);
  assert.deepEqual(await put('bob', { password: 'short' }), [400, 'A password is a text of 8 to 256 characters.']);
  assert.deepEqual(await call('wrong', 'putUser', ['bob', {}]), { error: 'A new user needs a password.' });
  // What the runtime tells comes in order: what this one throws is told after all that came before.
  assert.equal((await call('wrong', 'trace', ['bob', 0])).thrown.name, 'RangeError');
  while (!log.some((line) => line.includes('RangeError'))) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(log.filter((line) => /UserError|password/.test(line)), []);
});

test('A trace is a stream of lines', async () => {
  const response = await fetch(`http://127.0.0.1:${workerd.ports.caller}/trace/trace`, { method: 'POST', body: '["watched", 600]' });
  const client = await connected('trace', { clientId: 'watched' });
  await client.publishAsync('a', 'secret', { qos: 1 });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of response.body) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes('"PUBACK"') && text.endsWith('\n')) break;
  }
  const packets = text.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(packets.some(({ packet, direction, topic }) => packet === 'PUBLISH' && direction === 'received' && topic === 'a'));
  assert.doesNotMatch(text, /secret/);
  const { thrown } = await call('trace', 'trace', ['watched', 0]);
  assert.equal(thrown.name, 'RangeError');
  await client.endAsync(true);
});

test('A trace that is refused takes the place of no other', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { thrown } = await call('refused-trace', 'trace', ['\u0000', 600]);
    assert.deepEqual([thrown.name, thrown.code], ['MqttError', 'invalid-options']);
  }
});

test('The HTTP API answers over a Service binding', async () => {
  const path = '/rooms/service/publish?topic=a&retain=true';
  assert.deepEqual(await call('service', 'api', { path, method: 'POST', token: ADMIN_TOKEN, body: 'x' }), { reasonCode: 0x10 });
  const { messages } = await call('service', 'api', { path: '/rooms/service/retained?filter=a', token: ADMIN_TOKEN });
  assert.deepEqual(messages.map(({ payload }) => payload), ['x']);
  assert.match((await call('service', 'api', { path, method: 'POST', token: 'wrong' })).error, /token/);
});
