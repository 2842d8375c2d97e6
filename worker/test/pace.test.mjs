// Who is sent fewer, larger messages, and how those come in who come together.

import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

// The sources name each other as they are called when they are built.
registerHooks({
  resolve: (specifier, context, next) => next(context.parentURL?.includes('/src/') ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});
const { Batch, Pace } = await import('../src/pace.ts');
const { SocketTransport } = await import('../src/socket-transport.ts');
const { Doorway } = await import('../src/doorway.ts');

/** Whether it is often after so many times in each of some windows of 20 ms. */
function isOftenAfter(...counts) {
  const pace = new Pace(10);
  for (const [window, count] of counts.entries()) {
    pace.isOften(1_000 + window * 20);
    for (let each = 0; each < count; each += 1) pace.add();
  }
  return pace.isOften(1_000 + counts.length * 20);
}

test('As many as are many in 20 ms are often, one less is not, and what was before does not count', () => {
  assert.equal(isOftenAfter(10), true);
  assert.equal(isOftenAfter(9), false);
  assert.equal(isOftenAfter(10, 9), false);
  assert.equal(isOftenAfter(9, 10), true);
  assert.equal(isOftenAfter(10, 0), false);
});

/** Peers of a room, by transports whose sockets count messages, with a clock that the test has. */
class Peers {
  messages = 0;
  #timers;

  constructor({ mock: { timers } }, count) {
    timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000 });
    this.#timers = timers;
    const batches = { pace: Pace.ofAll(), soon: Batch.soon(), late: Batch.late() };
    const socket = { send: () => (this.messages += 1), bufferedAmount: 0 };
    this.all = Array.from({ length: count }, () => new SocketTransport(socket, {}, batches, () => {}));
  }

  /** Each hears so many parts in each event, of which there is one every 2 ms. Resolves with the messages a peer in an event. */
  async hear({ events = 100, parts = 1, speaks = false } = {}) {
    const before = this.messages;
    for (let event = 0; event < events; event += 1) {
      this.#timers.tick(2);
      for (const transport of this.all) {
        if (speaks) transport.hear();
        for (let part = 0; part < parts; part += 1) transport.send(new Uint8Array(10));
      }
      await settled();
    }
    return (this.messages - before) / this.all.length / events;
  }
}

/** Resolves when all is done that promises put off. */
async function settled() {
  for (let step = 0; step < 5; step += 1) await null;
}

test('Where much is sent, those who only listen are sent it every 40 ms', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  assert.equal(await peers.hear({ events: 200 }), 0.05);
});

test('Each is sent at once what it hears where little is sent, or where it speaks itself', async (context) => {
  assert.equal(await new Peers(context, 5).hear(), 1);
  context.mock.timers.reset();
  assert.equal(await new Peers(context, 50).hear({ speaks: true }), 1);
});

test('What leaves as one message counts as one', async (context) => {
  // 500 parts in 20 ms, which are 50 messages.
  assert.equal(await new Peers(context, 5).hear({ parts: 10 }), 1);
});

test('Who speaks while something waits is sent all of it at once', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  const [peer] = peers.all;
  const { messages } = peers;
  peer.send(new Uint8Array(10));
  await settled();
  assert.equal(peers.messages, messages);
  peer.hear();
  peer.send(new Uint8Array(10));
  await settled();
  assert.equal(peers.messages, messages + 1);
});

/** Passes a doorway so many times at once; resolves with what was passed, and the turns of the event loop seen meanwhile. */
async function passAll(doorway, count, onPass = () => {}) {
  const passes = [];
  await Promise.all(Array.from({ length: count }, async (_, number) => {
    assert.equal(await doorway.pass(), true);
    onPass();
    passes.push(number);
  }));
  return passes;
}

test('Those who come together pass one after the other, in their order, with a turn for others in between', async () => {
  const doorway = new Doorway();
  let turns = 0;
  const seen = [];
  const counting = setInterval(() => (turns += 1), 0);
  const passes = await passAll(doorway, 5, () => seen.push(turns));
  clearInterval(counting);
  assert.deepEqual(passes, [0, 1, 2, 3, 4]);
  assert.equal(new Set(seen).size, 5);
});

test('While others speak each waits some milliseconds', async () => {
  const doorway = new Doorway();
  const begin = performance.now();
  await passAll(doorway, 6, () => doorway.heard());
  // Five pauses of 4 ms, the first of which had nobody to wait for.
  assert.ok(performance.now() - begin >= 4 * 4 - 1);
});

test('Of more than two thousand who wait the rest is turned away at once', async () => {
  const doorway = new Doorway();
  const answers = Array.from({ length: 2_002 }, () => doorway.pass());
  assert.equal(await answers.at(-1), false);
  assert.equal(await answers[0], true);
});
