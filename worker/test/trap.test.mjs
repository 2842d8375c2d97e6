// The WebAssembly traps: it gets so little memory that a large message is too much for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { packet, publish, subscribe, text } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

/** Of 64 KiB each, beyond those that the WebAssembly begins with. */
const SPARE_PAGES = 16;

const log = [];
let workerd;
before(async () => (workerd = await startSteered({ library: limited, log: (line) => log.push(line) })));
after(() => workerd.stop());

test('A trap costs the connection that caused it, and nothing that was acknowledged, in no room', async () => {
  const [room, neighbour] = [workerd.room('trapped'), workerd.room('neighbour')];
  const bystanders = [];
  for (const it of [room, neighbour]) {
    const bystander = await it.connect({ clientId: 'bystander', will: 'gone' });
    bystander.send(subscribe('#'));
    await bystander.hears('9003000100');
    await it.absent('keeper', 'kept');
    bystander.send(packet('32', `${text('kept')}0001${'6f6e65'}`));
    await bystander.hears(publish('kept', 'one') + '40020001');
    bystanders.push(bystander);
  }
  const greedy = await room.connect({ clientId: 'greedy', will: 'greedy' });
  // as large as the limit allows: 1 MiB
  const payload = 'aa'.repeat(1_048_000);
  greedy.send(`32${remainingLength(payload.length / 2 + 8)}${text('huge')}0001${payload}`);
  assert.equal(await greedy.packet().catch(() => 'nothing'), 'nothing');
  await greedy.closed;
  await bystanders[0].hears(publish('will', 'greedy'));
  for (const [number, it] of [room, neighbour].entries()) {
    const bystander = bystanders[number];
    bystander.send(publish('a', 'still here'));
    await bystander.hears(publish('a', 'still here'));
    const keeper = await it.open();
    keeper.send(packet('10', `${text('MQTT')}04000000${text('keeper')}`));
    await keeper.hears('20020100');
    assert.match(await keeper.packet(), /^32..00046b657074....6f6e65$/);
    await keeper.close();
    assert.equal((await it.facts()).started, 1, 'the object goes on');
  }
  assert.deepEqual(log.filter((line) => line.includes('different Durable Object')), []);
  await Promise.all(bystanders.map((bystander) => bystander.close()));
});

/** The WebAssembly with a limit of its memory. */
function limited(bytes) {
  const memory = 5;
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const size = number(bytes, at + 1);
    if (id === memory) {
      const [count, , minimum] = [bytes[size.end], bytes[size.end + 1], number(bytes, size.end + 2)];
      assert.equal(count, 1);
      const body = [1, 1, ...leb(minimum.value), ...leb(minimum.value + SPARE_PAGES)];
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([memory, ...leb(body.length), ...body]), bytes.subarray(size.end + size.value)]);
    }
    at = size.end + size.value;
  }
  throw new Error('There is no memory.');
}

function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return { value, end: at + 1 };
  }
}

function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

const remainingLength = (length) => Buffer.from(leb(length)).toString('hex');
