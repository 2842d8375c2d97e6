// Streams of events, and the room that they come from: it sleeps, and nobody who reads slowly or not at all holds it up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ADMIN_TOKEN, JWT_SECRET, tokenOf } from '../../tests/interop/http/caller.mjs';
import { EventStream } from '../../tests/interop/http/event-stream.mjs';
import { start } from '../local.mjs';
import { startSteered } from './steering.mjs';

let workerd;
before(async () => {
  const settings = { authentication: { anonymous: true, jwt: {} }, limits: { maximumQueuedBytes: 1 << 20 } };
  workerd = await startSteered({ settings, variables: { ADMIN_TOKEN, JWT_SECRET } });
});
after(() => workerd.stop());

const headersOf = (token = ADMIN_TOKEN) => ({ Authorization: `Bearer ${token}` });

const addressOf = (room, path) => `http://127.0.0.1:${workerd.port}/rooms/${room}${path}`;

async function subscribe(room, query, { lastEventId, token } = {}) {
  const headers = { ...headersOf(token), ...(lastEventId && { 'Last-Event-ID': lastEventId }) };
  const response = await fetch(addressOf(room, `/subscribe?${query}`), { headers });
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
  return new EventStream(response.body);
}

async function publish(room, topic, body, qos = 1) {
  const response = await fetch(addressOf(room, `/publish?topic=${topic}&qos=${qos}`), { method: 'POST', headers: headersOf(), body });
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
  await response.body.cancel();
}

async function retain(room, topic, body) {
  const response = await fetch(addressOf(room, `/publish?topic=${topic}&qos=1&retain=true`), { method: 'POST', headers: headersOf(), body });
  assert.equal(response.status, 200);
  await response.body.cancel();
}

async function clientsOf(room) {
  const response = await fetch(addressOf(room, '/clients'), { headers: headersOf() });
  return (await response.json()).clients;
}

/** Waits for what happens by itself; the limit of the test turns a hang into a failure. */
async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('A room sleeps while its events are read, and wakes for the next message', async () => {
  const room = workerd.room('asleep');
  const stream = await subscribe('asleep', 'filter=a');
  await publish('asleep', 'a', '1');
  assert.deepEqual(await stream.payloads(1), ['1']);
  await room.steer('settle');
  await room.steer('sleep');
  const { started } = await room.facts();
  await publish('asleep', 'a', '2');
  assert.deepEqual(await stream.payloads(1), ['2']);
  assert.equal((await room.facts()).started, started + 1, 'it slept');
  await stream.close();
});

test('A reader goes on after a sleep of the room with nothing lost, and without what it had', async () => {
  const room = workerd.room('goes-on');
  const first = await subscribe('goes-on', 'filter=a');
  for (const payload of ['1', '2', '3']) await publish('goes-on', 'a', payload);
  await first.payloads(1);
  const { lastEventId } = first;
  await first.payloads(2);
  await first.close();
  await room.steer('settle');
  await room.steer('sleep');
  await publish('goes-on', 'a', '4');
  const second = await subscribe('goes-on', 'filter=a', { lastEventId });
  assert.deepEqual(await second.payloads(3), ['2', '3', '4']);
  await second.close();
});

test('A reader goes on when its room was deployed anew meanwhile', async () => {
  const room = workerd.room('anew');
  const first = await subscribe('anew', 'filter=a');
  await publish('anew', 'a', '1');
  await first.payloads(1);
  await room.steer('abort');
  assert.equal(await first.next(), undefined, 'the stream ends with the connection');
  await publish('anew', 'a', '2');
  const second = await subscribe('anew', 'filter=a', { lastEventId: first.lastEventId });
  assert.deepEqual(await second.payloads(1), ['2']);
  await second.close();
});

test('The room lets go of a reader that has gone, and of its session later', async () => {
  const stream = await subscribe('gone', 'filter=a');
  await publish('gone', 'a', '1');
  await stream.payloads(1);
  const [{ clientId, connected }] = await clientsOf('gone');
  assert.match(clientId, /^\$sse\//);
  assert.equal(connected, true);
  await stream.close();
  // The platform notices when something is written: a message, or a heartbeat.
  const write = () => publish('gone', 'a', 'x', 0);
  await until(async () => write().then(async () => !(await clientsOf('gone'))[0].connected));
  assert.equal((await clientsOf('gone'))[0].sessionExpiryInterval, 120);
  const other = await subscribe('gone', 'filter=a&qos=0');
  assert.equal((await clientsOf('gone')).length, 2);
  await other.close();
  await until(async () => write().then(async () => (await clientsOf('gone')).length === 1));
});

test('A reader that does not read holds nothing up, and finds what is left for it when it comes back', async () => {
  const first = await subscribe('slow', 'filter=a');
  await publish('slow', 'a', 'first');
  await first.payloads(1);
  await first.close();
  const { host, hostname, port, pathname, search } = new URL(addressOf('slow', '/subscribe?filter=a'));
  const socket = connect(Number(port), hostname);
  const fields = [`Host: ${host}`, `Authorization: Bearer ${ADMIN_TOKEN}`, `Last-Event-ID: ${first.lastEventId}`];
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  await once(socket, 'readable');
  socket.pause();
  const memory = async () => (await workerd.room('slow').facts()).memory;
  const before = await memory();
  const payload = (number) => `${number} ${'x'.repeat(400_000)}`;
  let count = 0;
  while ((await clientsOf('slow'))[0].connected) {
    assert.ok(count < 200, 'it is left before it was sent so much');
    await publish('slow', 'a', payload(count++));
  }
  assert.ok((await memory()) - before < 32 << 20, 'what waits is bounded');
  socket.destroy();
  const second = await subscribe('slow', 'filter=a', { lastEventId: first.lastEventId });
  const [{ event, data }] = await second.take(1);
  assert.equal(event, 'gap', 'more was sent than is held for a reader');
  const held = JSON.parse((await second.take(1))[0].data).payload;
  assert.match(held, /^\d+ x/);
  await second.close();
  assert.equal(data, '{}');
});

test('A reader of much more than waits for one at a time has all of it, over as many streams as it takes', async () => {
  const topics = Array.from({ length: 30 }, (_, number) => `kept/${String(number).padStart(2, '0')}`);
  for (const topic of topics) await retain('large', topic, 'x'.repeat(300_000));
  const heard = [];
  for (let lastEventId; heard.length < topics.length; ) {
    const stream = await subscribe('large', 'filter=kept/%2B', { lastEventId });
    for (let next = await stream.next(); next && heard.length < topics.length; next = await stream.next()) {
      heard.push(JSON.parse(next.data).topic);
      if (heard.length === topics.length) break;
    }
    lastEventId = stream.lastEventId;
    await stream.close();
  }
  assert.deepEqual(heard.sort(), topics);
});

test('A stream ends when the token does', async () => {
  const token = tokenOf({ scope: 'subscribe', room: '*', exp: Math.floor(Date.now() / 1000) + 2 });
  const stream = await subscribe('expires', 'filter=a', { token });
  await publish('expires', 'a', '1');
  assert.deepEqual(await stream.payloads(1), ['1']);
  assert.equal(await stream.next(), undefined);
});

test('A trace ends when the token does', async () => {
  const token = tokenOf({ scope: 'trace', room: '*', exp: Math.floor(Date.now() / 1000) - 1 });
  const trace = new EventStream((await fetch(addressOf('expires', '/clients/a/trace?seconds=600'), { headers: headersOf(token) })).body);
  assert.equal((await trace.next()).event, 'end');
  assert.equal(await trace.next(), undefined);
});

test('A stream on which nothing comes shows that it is there, again and again', async (context) => {
  const hasty = await start({ entry: fileURLToPath(new URL('hasty.js', import.meta.url)), variables: { ADMIN_TOKEN } });
  context.after(() => hasty.stop());
  for (const path of ['/subscribe?filter=a', '/clients/a/trace?seconds=600']) {
    const { body } = await fetch(`http://127.0.0.1:${hasty.port}${path}`, { headers: headersOf() });
    const stream = new EventStream(body);
    void stream.next();
    await until(() => stream.comments > 3);
    await stream.close();
  }
});

test('A session of the events is nobody else\'s', async () => {
  const stream = await subscribe('own', 'filter=a');
  await publish('own', 'a', '1');
  await stream.payloads(1);
  const [{ clientId }] = await clientsOf('own');
  const client = await workerd.room('own').open();
  const name = Buffer.from(clientId);
  const id = `${name.length.toString(16).padStart(4, '0')}${name.toString('hex')}`;
  client.send(`10${(10 + 2 + name.length).toString(16).padStart(2, '0')}00044d51545404000000${id}`);
  await client.hears('20020002');
  await publish('own', 'a', '2');
  assert.deepEqual(await stream.payloads(1), ['2'], 'the reader did not notice');
  await stream.close();
});
