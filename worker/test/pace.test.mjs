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

test('A time that is longer has to have more', () => {
  const pace = new Pace(10);
  pace.isOften(1_000);
  for (let each = 0; each < 10; each += 1) pace.add();
  assert.equal(pace.isOften(1_021), false);
});

/** Peers of a room, by transports whose sockets count messages, with a clock that the test has; and a broker that gathers. */
class Peers {
  messages = 0;
  #timers;
  #held = new Map();
  #batches = { pace: Pace.ofAll(), soon: Batch.soon() };

  constructor({ mock: { timers } }, count) {
    timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000 });
    this.#timers = timers;
    const send = (bytes) => {
      this.messages += 1;
      this.last = bytes;
    };
    const make = () => new SocketTransport({ send, bufferedAmount: 0 }, {}, this.#batches, () => {});
    this.all = Array.from({ length: count }, make);
    this.others = Array.from({ length: 50 }, make);
  }

  /** So many milliseconds, in which nothing comes. */
  async pass(milliseconds) {
    this.#timers.tick(milliseconds);
    await settled();
  }

  /** Each hears so many parts in each event, all of one or of many in turn, and is sent later what came in a rest. Resolves with the messages a peer in an event. */
  async hear({ events = 100, every = 1, parts = 1, speaks = false, ofOne = false, gathers = true } = {}) {
    const before = this.messages;
    for (let event = 0; event < events; event += 1) {
      this.#timers.tick(every);
      this.others[ofOne ? 0 : event % 50].hear();
      for (const transport of this.all) {
        if (speaks) transport.hear();
        const held = this.#held.get(transport) ?? 0;
        if (transport.bufferedAmount > 0) {
          if (gathers) this.#held.set(transport, held + parts);
          continue;
        }
        this.#held.delete(transport);
        if (held > 0) transport.send(new Uint8Array(10 * (held + parts)));
        else for (let part = 0; part < parts; part += 1) transport.send(new Uint8Array(10));
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

test('Where much is sent, those who only listen are sent something every 40 ms', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear({ events: 60 });
  assert.equal(await peers.hear({ events: 800 }), 0.025);
});

test('Each is sent at once what it hears where little is sent, or where it speaks itself', async (context) => {
  assert.equal(await new Peers(context, 2).hear(), 1);
  context.mock.timers.reset();
  assert.equal(await new Peers(context, 50).hear({ speaks: true }), 1);
});

test('What one says to many may be that for which it waits, unless it is very much', async (context) => {
  assert.equal(await new Peers(context, 50).hear({ ofOne: true }), 1);
  context.mock.timers.reset();
  const peers = new Peers(context, 50);
  await peers.hear({ ofOne: true, every: 0.25, events: 400 });
  assert.equal(peers.all[0].bufferedAmount, 1);
});

test('What leaves as one message counts as one', async (context) => {
  // 400 parts in 20 ms, which are 40 messages.
  assert.equal(await new Peers(context, 2).hear({ parts: 10 }), 1);
});

test('Whether it hears much is looked at anew after five seconds', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear({ every: 4 });
  assert.ok((await peers.hear({ events: 600, every: 7 })) < 0.5);
  await peers.hear({ events: 150, every: 7 });
  assert.equal(await peers.hear({ every: 7 }), 1);
});

test('While something waits to be sent the time is when it came', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  const [peer] = peers.all;
  const [speaker] = peers.others;
  speaker.send(Uint8Array.of(1));
  const passed = peers.pass(100);
  assert.equal(peer.bufferedAmount, 1);
  await passed;
  assert.equal(peer.bufferedAmount, 0);
});

test('Who is sent nothing in a rest, since somebody waits for it to hear, rests ever more seldom', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  assert.ok((await peers.hear({ events: 4_000, gathers: false })) > 0.85);
});

test('A message that comes only after a rest is none that was gathered in it, however large', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  const [peer] = peers.all;
  await peers.pass(100);
  assert.equal(peer.bufferedAmount, 0);
  peer.send(new Uint8Array(1_000));
  await settled();
  assert.equal(peer.bufferedAmount, 0);
});

test('Who rests is ready again when it speaks, and what answers it is sent before the next rest', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  const [peer] = peers.all;
  assert.equal(peer.bufferedAmount, 1);
  peer.hear();
  assert.equal(peer.bufferedAmount, 0);
  peer.send(Uint8Array.of(1));
  await settled();
  assert.deepEqual([...peers.last], [1]);
  assert.equal(peer.bufferedAmount, 0);
  peer.send(Uint8Array.of(2));
  assert.equal(peer.bufferedAmount, 1);
});

test('Who is sent much at a time does not rest', async (context) => {
  const peers = new Peers(context, 50);
  await peers.hear();
  const [peer] = peers.all;
  assert.equal(peer.bufferedAmount, 1);
  peer.send(new Uint8Array(16_384));
  assert.equal(peer.bufferedAmount, 0);
  await settled();
  peer.send(new Uint8Array(10_000));
  assert.equal(peer.bufferedAmount, 1);
  peer.send(new Uint8Array(10_000));
  assert.equal(peer.bufferedAmount, 0);
});

/** A doorway with a clock that the test has, and who passed it. */
class Guests {
  passed = [];
  refused = 0;
  doorway = new Doorway();
  #timers;

  constructor({ mock: { timers } }) {
    timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000 });
    this.#timers = timers;
  }

  come(count) {
    for (let number = 0; number < count; number += 1) {
      this.doorway.pass().then((isIn) => (isIn ? this.passed.push(number) : (this.refused += 1)));
    }
    return settled();
  }

  async wait(milliseconds) {
    this.#timers.tick(milliseconds);
    await settled();
  }
}

test('While nobody speaks eight pass at once, and the others after them, in their order', async (context) => {
  const guests = new Guests(context);
  await guests.come(20);
  assert.deepEqual(guests.passed, [0, 1, 2, 3, 4, 5, 6, 7]);
  await guests.wait(4);
  assert.equal(guests.passed.length, 16);
  guests.doorway.heard();
  await guests.wait(4);
  assert.equal(guests.passed.length, 17);
  await guests.wait(8);
  assert.deepEqual(guests.passed, Array.from({ length: 20 }, (_, number) => number));
});

test('Of those who come together soon after somebody spoke one passes at once, and the others after it', async (context) => {
  const guests = new Guests(context);
  guests.doorway.heard();
  await guests.come(1);
  await guests.wait(4);
  guests.passed.length = 0;
  await guests.come(4);
  assert.deepEqual(guests.passed, [0]);
  await guests.wait(1);
  assert.deepEqual(guests.passed, [0, 1, 2, 3]);
  await guests.come(1);
  assert.equal(guests.passed.length, 5);
});

test('While others speak there are 4 ms from one to the next', async (context) => {
  const guests = new Guests(context);
  guests.doorway.heard();
  await guests.come(3);
  await guests.wait(3);
  assert.deepEqual(guests.passed, [0]);
  guests.doorway.heard();
  await guests.wait(1);
  assert.deepEqual(guests.passed, [0, 1]);
  await guests.wait(3);
  assert.deepEqual(guests.passed, [0, 1]);
  await guests.wait(1);
  assert.deepEqual(guests.passed, [0, 1, 2]);
});

test('Those who speak without a pause, so that no timer rings, keep nobody out', async (context) => {
  const guests = new Guests(context);
  guests.doorway.heard();
  await guests.come(3);
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_010 });
  guests.doorway.heard();
  await settled();
  assert.deepEqual(guests.passed, [0, 1]);
});

test('While two thousand wait whoever else comes is turned away at once', async (context) => {
  const guests = new Guests(context);
  await guests.come(2_010);
  assert.deepEqual([guests.passed.length, guests.refused], [8, 2]);
  for (let passed = 8; passed < 2_008; passed += 8) await guests.wait(4);
  assert.deepEqual([guests.passed.length, guests.refused], [2_008, 2]);
});
