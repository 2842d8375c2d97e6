// What an operator's requests meet at their limits, and what the log says when one fails.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { EventStream } from '../../tests/interop/http/event-stream.mjs';
import { startSteered } from './steering.mjs';
import { upgrade } from './upgrade.mjs';

const ADMIN_TOKEN = 'a-token-of-thirty-two-characters-or-more';
const CALL = 32 << 20;

const lines = [];
let workerd;
before(async () => {
  const bytes = 512 << 20;
  const limits = { maximumPacketSize: 64 << 20, maximumRetainedBytes: bytes, maximumMessageBytes: bytes };
  const rooms = { strict: { authentication: { failuresPerMinute: 2 } }, lenient: { authentication: { failuresPerMinute: 1_000 } } };
  workerd = await startSteered({ settings: { limits, rooms }, variables: { ADMIN_TOKEN }, log: (line) => lines.push(line) });
});
after(() => workerd.stop());

function ask(path, { method = 'GET', token = ADMIN_TOKEN, headers, body } = {}) {
  return fetch(`http://127.0.0.1:${workerd.port}${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...headers }, body });
}

const OCTETS = { 'Content-Type': 'application/octet-stream' };
const publish = (room, topic, body, more = '') => ask(`/rooms/${room}/publish?qos=1&topic=${topic}${more}`, { method: 'POST', body });
const restore = (room, body) => ask(`/rooms/${room}/backup`, { method: 'PUT', headers: OCTETS, body });

test('A backup beyond what a call may carry is saved, and taken by another room', async () => {
  const payload = Buffer.alloc(1_700_000, 'x');
  for (let number = 0; number < 21; number += 1) assert.equal((await publish('large', `r/${number}`, payload, '&retain=true')).status, 200);
  const saved = await ask('/rooms/large/backup');
  assert.equal(saved.status, 200);
  const file = Buffer.from(await saved.arrayBuffer());
  assert.ok(file.length > CALL, String(file.length));
  const restored = await restore('larger', file);
  assert.deepEqual([restored.status, await restored.json()], [200, { rejected: 0 }]);
  assert.equal((await workerd.room('larger').steer('statistics')).retainedMessages, 21);
});

test('A payload beyond what a call may carry is too large, whatever the limits say', async () => {
  // Only announced: who is answered before all is sent may find the connection closed, and no answer.
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Length': CALL };
  const sending = request({ port: workerd.port, path: '/rooms/large/publish?qos=1&topic=a', method: 'POST', headers });
  sending.flushHeaders();
  const [response] = await once(sending, 'response');
  assert.equal(response.statusCode, 413);
  assert.equal((await json(response)).reasonCode, 0x95);
  sending.destroy();
});

test('failuresPerMinute counts for tokens over HTTP and at upgrades, too', async () => {
  const wrong = ['e30', 'e30', 'AAAA'].join('.');
  const statuses = async (room, address) => {
    const headers = { 'CF-Connecting-IP': address };
    const answers = [];
    for (let time = 0; time < 12; time += 1) answers.push((await ask(`/rooms/${room}/clients`, { token: wrong, headers })).status);
    return answers;
  };
  const upgraded = async (room, address) =>
    (await upgrade(workerd, `/mqtt/${room}`, { Authorization: `Bearer ${wrong}`, 'CF-Connecting-IP': address })).status;
  assert.deepEqual(await statuses('strict', '192.0.2.1'), [401, 401, ...Array(10).fill(429)]);
  assert.deepEqual(await statuses('lenient', '192.0.2.2'), Array(12).fill(401));
  assert.deepEqual([await upgraded('strict', '192.0.2.3'), await upgraded('strict', '192.0.2.3'), await upgraded('strict', '192.0.2.3')], [401, 401, 429]);
  assert.equal(await upgraded('lenient', '192.0.2.3'), 401);
});

test('A request that fails by itself is a line of JSON in the log, as all others', async () => {
  await workerd.room('odd').steer('failStatistics');
  assert.equal((await ask('/rooms/odd/metrics')).status, 500);
  const line = lines.find((line) => line.includes('A statistic failed.') && line.includes('requestFailed'));
  const { level, event, room, message } = JSON.parse(line ?? '{}');
  assert.deepEqual({ level, event, room, message }, { level: 'error', event: 'requestFailed', room: 'odd', message: 'Error: A statistic failed.' });
});

test('The metrics say how many messages wait for a review', async () => {
  const metrics = await (await ask('/rooms/reviewed/metrics')).text();
  assert.match(metrics, /^# TYPE mqlite_messages_in_review gauge\nmqlite_messages_in_review 0$/m);
});

test('A reader that comes back after a backup was put back is told of the gap', async () => {
  const subscribe = (headers) => ask('/rooms/readers/subscribe?filter=a', { headers });
  const reader = new EventStream((await subscribe()).body);
  await publish('readers', 'a', 'first');
  assert.deepEqual(await reader.payloads(1), ['first']);
  const file = await (await ask('/rooms/readers/backup')).arrayBuffer();
  await publish('readers', 'a', 'second');
  assert.deepEqual(await reader.payloads(1), ['second']);
  const { lastEventId } = reader;
  assert.equal((await restore('readers', file)).status, 200);
  await reader.next();
  await publish('readers', 'a', 'third');
  const back = new EventStream((await subscribe({ 'Last-Event-ID': lastEventId })).body);
  assert.equal((await back.next()).event, 'gap');
  await back.close();
});

test('A forward that was taken away is forgotten once', async () => {
  const data = await mkdtemp(join(tmpdir(), 'mqlite-former-'));
  const heard = [];
  const removed = () => heard.filter((line) => line.includes('"forwardRemoved"'));
  const run = (forward) => startSteered({ data, settings: { forward, log: { level: 'info' } }, log: (line) => heard.push(line) });
  let other = await run([{ name: 'former', filter: 'a', webhook: 'http://127.0.0.1:9/', loopback: true }]);
  try {
    await other.room('here').steer('statistics');
    await other.stop();
    other = await run([]);
    await other.room('here').steer('statistics');
    while (removed().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await other.room('here').steer('move');
    await other.room('here').steer('settle');
    assert.equal(removed().length, 1, removed().join('\n'));
  } finally {
    await other.stop();
    await rm(data, { recursive: true });
  }
});
