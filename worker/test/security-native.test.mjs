// The same malformed packets against `mqlite serve`.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, UNHURRIED } from '../../tests/interop/server.mjs';
import { bringMalformed, busyPair } from './malformed.mjs';

const PACKETS = 10_000;

let server;
before(async () => (server = await startServer({ options: UNHURRIED })));
after(async () => assert.equal(await server.stop(), 0));

test(`${PACKETS} malformed packets cost a busy pair nothing on a native server`, { timeout: 120_000 }, async () => {
  const where = { port: Number(new URL(server.ws).port), path: '/mqtt' };
  const stop = await busyPair(where);
  const connections = await bringMalformed(where, PACKETS);
  const { sent, heard } = await stop();
  console.log(`${PACKETS} packets on ${connections} connections beside ${sent} messages of the pair`);
  assert.deepEqual(heard, Array.from({ length: sent }, (_, number) => number + 1), 'none lost, none doubled, all in order');
  assert.deepEqual(server.log.filter((line) => /panicked/.test(line)), []);
});
