// Clients that send what they should not, or too much, or too slowly: others notice nothing, and the room stays what it is.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, length, publish, text } from '../attack/packets.mjs';
import { BINARY, frame } from '../attack/web-socket.mjs';
import { bringMalformed, busyPair } from './malformed.mjs';
import { connectTo, SecurityClient } from './security-client.mjs';
import { startSteered } from './steering.mjs';

const PACKETS = 10_000;

const limits = { serverKeepAliveSeconds: 0, connectTimeoutMillis: 1_000, maximumPacketSize: 100_000, requestsPerSecond: 1_000 };
const log = [];
let workerd;
before(async () => {
  workerd = await startSteered({
    settings: {
      limits,
      rooms: {
        small: { limits: { maximumConnections: 20 } },
        strict: { limits: { requestsPerSecond: 10, publishMessagesPerSecond: 10 } },
      },
    },
    log: (line) => log.push(line),
  });
});
after(() => workerd.stop());

const to = (room, clientId, options) => connectTo(workerd.port, `/mqtt/${room}`, clientId, options);

const upTo = (count) => Array.from({ length: count }, (_, number) => number + 1);

async function opened(room) {
  const client = new SecurityClient();
  await client.open(workerd.port, `/mqtt/${room}`);
  return client;
}

test(`${PACKETS} malformed packets cost a busy pair nothing, and the room goes on`, { timeout: 120_000 }, async () => {
  const room = workerd.room('malformed');
  const stop = await busyPair({ port: workerd.port, path: '/mqtt/malformed' });
  const before = (await room.facts()).memory;
  const connections = await bringMalformed({ port: workerd.port, path: '/mqtt/malformed' }, PACKETS);
  const { sent, heard } = await stop();
  const { started, memory } = await room.facts();
  console.log(`${PACKETS} packets on ${connections} connections beside ${sent} messages of the pair; WebAssembly memory ${before} to ${memory} bytes`);
  assert.deepEqual(heard, upTo(sent), 'none lost, none doubled, all in order');
  assert.equal(started, 1, 'the room was never restarted');
  assert.ok(memory < 32 << 20, `${memory} bytes of memory`);
  assert.deepEqual(log.filter((line) => /RuntimeError|brokerFailed|unreachable|panicked/.test(line)), []);
});

test('A packet above Maximum Packet Size is refused with 0x95 by its first bytes, a message above that of the platform at once', async () => {
  const stop = await busyPair({ port: workerd.port, path: '/mqtt/oversize' });
  const client = await to('oversize', 'large');
  client.send(Buffer.concat([Buffer.from([0x30]), length(100_001), text('t')]));
  await client.closed;
  assert.equal(client.reason, 0x95);
  const [greedy, before] = [await to('oversize', 'greedy'), await resident()];
  greedy.socket.socket.write(frame(BINARY, Buffer.alloc(33 << 20)).subarray(0, 1 << 20));
  await greedy.closed;
  const all = await to('oversize', 'all');
  // Whatever fits into a message of the platform is not kept when it is no packet.
  all.send(Buffer.concat([publish('t', Buffer.alloc(10)), Buffer.alloc(30 << 20, 0x30)]));
  await all.closed;
  assert.ok((await resident()) - before < 200e6);
  const { sent, heard } = await stop();
  assert.deepEqual(heard, upTo(sent));
  assert.equal((await workerd.room('oversize').facts()).started, 1);
});

test('A packet may come a byte at a time, but not without end', async () => {
  const client = await to('strict', 'crumbs');
  const bytes = publish('crumbs', Buffer.alloc(60));
  for (const byte of bytes) client.send(Buffer.from([byte]));
  await client.settled();
  while (client.isOpen) {
    for (const byte of bytes) client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.closed;
  assert.equal(client.reason, 0x96);
});

test('Who publishes far above the limit is told 0x96; who keeps to it loses nothing', async () => {
  const flood = await to('strict', 'flood');
  const steady = await to('strict', 'steady');
  assert.equal(await steady.subscribe('steady', 1), 1);
  const batch = Buffer.concat(Array(100).fill(publish('flood', Buffer.alloc(10))));
  const flooded = (async () => {
    while (flood.isOpen) {
      flood.send(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let number = 1; number <= 10; number += 1) assert.ok((await steady.publish('steady', `${number}`)) < 0x80);
  await Promise.all([flooded, flood.closed]);
  assert.equal(flood.reason, 0x96);
  await steady.settled();
  assert.deepEqual(steady.messages.map(({ payload }) => Number(payload)), upTo(10));
  await steady.close();
});

test('Half upgrades, silence and a slow CONNECT keep nobody out, and end', async () => {
  const halves = Array.from({ length: 200 }, () => {
    const socket = connectSocket(workerd.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /mqtt/slow HTTP/1.1\r\nHost: here\r\nUpgrade: webso');
    return socket;
  });
  const silent = await opened('slow');
  const slow = await opened('slow');
  const bytes = connect('slow');
  let at = 0;
  const drip = setInterval(() => slow.isOpen && slow.send(bytes.subarray(at, (at += 1))), 150);
  const other = await to('slow', 'other');
  await other.settled();
  await Promise.all([silent.closed, slow.closed]);
  clearInterval(drip);
  assert.ok(at < bytes.length, 'it ended before the CONNECT did');
  await other.settled();
  await other.close();
  for (const socket of halves) socket.destroy();
});

test('Connections beyond the limit are closed, those within it are served, and what goes makes room', async () => {
  const served = await Promise.all(Array.from({ length: 20 }, (_, number) => to('small', `served-${number}`)));
  const refused = await Promise.all(Array.from({ length: 100 }, (_, number) => to('small', `refused-${number}`).catch(() => undefined)));
  assert.deepEqual(refused.filter((client) => client?.isOpen), []);
  await Promise.all(served.map((client) => client.settled()));
  await served.pop().close();
  const next = await to('small', 'next');
  await next.settled();
  await Promise.all([...served, next].map((client) => client.close()));
});

test('Who reads nothing costs a bounded memory, and others nothing', { timeout: 60_000 }, async () => {
  const room = workerd.room('unread');
  const reader = await to('unread', 'reader');
  assert.equal(await reader.subscribe('load', 0), 0);
  const deaf = [];
  for (const qos of [0, 0, 0, 0, 1, 1]) {
    const client = await to('unread', `deaf-${deaf.length}`);
    assert.equal(await client.subscribe('load', qos), qos);
    client.socket.pause();
    deaf.push(client);
  }
  const speaker = await to('unread', 'speaker');
  const payload = Buffer.alloc(60_000, 'x');
  const before = { resident: await resident(), wasm: (await room.facts()).memory };
  for (let count = 0; count < 1_000; count += 1) {
    await speaker.publish('load', payload, { qos: 0 });
    await speaker.settled();
  }
  await reader.settled();
  const grown = { resident: (await resident()) - before.resident, wasm: (await room.facts()).memory - before.wasm };
  const { messagesDropped } = await room.steer('statistics');
  console.log(`60 MB to ${deaf.length} that read nothing: WebAssembly +${grown.wasm >> 20} MiB, process +${Math.round(grown.resident / 1e6)} MB, ${messagesDropped} dropped`);
  assert.equal(reader.messages.length, 1_000);
  assert.ok(messagesDropped > 1_000);
  assert.ok(grown.wasm < 24 << 20);
  assert.ok(grown.resident < 150e6);
  for (const client of deaf) client.destroy();
  await Promise.all([reader.close(), speaker.close()]);
});

/** Bytes of memory that workerd has. */
async function resident() {
  return Number((await readFile(`/proc/${workerd.pid}/statm`, 'utf8')).split(' ')[1]) * 4096;
}
