// How fast one address may open connections to a room.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../attack/packets.mjs';
import { openWebSocket } from '../attack/web-socket.mjs';
import { start } from '../local.mjs';

let workerd;
before(async () => {
  const rooms = {
    waiting: { connectionRate: { perSecond: 2, burst: 3 } },
    strict: { connectionRate: { perSecond: 0.01, burst: 2 } },
    brief: { connectionRate: { perSecond: 50, burst: 20 } },
    fragile: { connectionRate: { perSecond: 200, burst: 10 } },
  };
  workerd = await start({ settings: { rooms } });
});
after(() => workerd.stop());

/** Opens a WebSocket from an address; resolves with the milliseconds that it took, and the client. */
async function open(room, address) {
  const begin = performance.now();
  const headers = address === undefined ? {} : { 'CF-Connecting-IP': address };
  const client = await openWebSocket(workerd.port, `/mqtt/${room}`, { headers });
  return { client, took: performance.now() - begin };
}

/** Resolves when the room has closed it. */
async function breakRule(room, address) {
  const { client } = await open(room, address);
  const closed = new Promise((resolve) => client.socket.once('close', resolve));
  client.send(connect('careless'));
  client.send(Buffer.from('f0ffffffffff', 'hex'));
  await closed;
}

test('More connections than may come at once wait, each its turn, and are let in', async () => {
  for (let number = 0; number < 3; number += 1) await open('waiting', '192.0.2.1');
  const opened = await Promise.all([1, 2].map(() => open('waiting', '192.0.2.1')));
  const [first, second] = opened.map(({ took }) => took).toSorted((one, other) => one - other);
  // Less than half a second each, for the third of a second or so that the first three took.
  assert.ok(second > first && second > 500, `${first}, ${second}`);
});

test('Who would wait for too long is told when to come again, and others are let in', async () => {
  for (let number = 0; number < 2; number += 1) await open('strict', '192.0.2.1');
  await assert.rejects(open('strict', '192.0.2.1'), /^Error: HTTP\/1\.1 429 /);
  await open('strict', '192.0.2.2');
});

test('All addresses that begin as one network of IPv6 does count together', async () => {
  await open('strict', '2001:db8::1');
  await open('strict', '2001:db8::2');
  await assert.rejects(open('strict', '2001:db8::3'), /429/);
  await open('strict', '2001:db8:0:1::1');
});

test('Who broke a rule waits as if it had come four hundred times; others from elsewhere do not', async () => {
  await breakRule('fragile', '192.0.2.1');
  const { took } = await open('fragile', '192.0.2.1');
  assert.ok(took > 1000, `${took}`);
  const other = await open('fragile', '192.0.2.2');
  assert.ok(other.took < took);
});

test('Who was let in and vanishes at once waits as if it had come fifty times, and who says goodbye does not', async () => {
  const { client: polite } = await open('brief', '192.0.2.2');
  const closed = new Promise((resolve) => polite.socket.once('close', resolve));
  polite.send(Buffer.concat([connect('polite'), Buffer.from('e000', 'hex')]));
  await closed;
  const connack = Promise.withResolvers();
  const hasty = await openWebSocket(workerd.port, '/mqtt/brief', { headers: { 'CF-Connecting-IP': '192.0.2.1' }, received: connack.resolve });
  hasty.send(connect('hasty'));
  await connack.promise;
  hasty.destroy();
  // The room hears of it a moment later.
  const tries = [];
  do tries.push(await open('brief', '192.0.2.1'));
  while (tries.at(-1).took < 500 && tries.length < 9);
  assert.ok(tries.at(-1).took >= 500, `${tries.map(({ took }) => took)}`);
  const { took } = await open('brief', '192.0.2.2');
  assert.ok(took < tries.at(-1).took, `${took}`);
});

test('Where the platform tells no address nobody waits', async () => {
  for (let number = 0; number < 5; number += 1) await open('strict');
});
