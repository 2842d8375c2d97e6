// What comes within one turn, when something of it fails.

import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

// The sources name each other as they are called when they are built.
registerHooks({
  resolve: (specifier, context, next) => next(context.parentURL?.includes('/src/') ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});
const { Turn } = await import('../src/turn.ts');
const { Batch, Pace } = await import('../src/pace.ts');
const { SocketTransport } = await import('../src/socket-transport.ts');

const fails = (sentence) => () => {
  throw new Error(sentence);
};

/** A turn that has begun. What is done is in `done`, and when it was stored. */
function begun() {
  const done = [];
  const turn = new Turn((task) => {
    try {
      task();
    } finally {
      done.push('stored');
    }
  });
  turn.do(() => done.push('first'));
  return { turn, done };
}

/** What is thrown out of a timer from now on, once. */
function thrown() {
  return new Promise((resolve) => process.setUncaughtExceptionCaptureCallback((error) => {
    process.setUncaughtExceptionCaptureCallback(null);
    resolve(error.message);
  }));
}

test('A task that fails keeps no other of its turn from being done, and what they wrote is stored; the first failure is told', async () => {
  const { turn, done } = begun();
  turn.do(() => done.push('before'));
  turn.do(fails('one'));
  turn.do(() => done.push('between'));
  turn.do(fails('other'));
  turn.do(() => done.push('after'));
  const failure = thrown();
  assert.deepEqual(done, ['first']);
  assert.equal(await failure, 'one');
  assert.deepEqual(done, ['first', 'before', 'between', 'after', 'stored']);
});

test('A task that fails in a turn that is full keeps no other from being done', () => {
  const { turn, done } = begun();
  turn.do(fails('one'));
  assert.throws(() => {
    for (let number = 0; number < 1_000; number += 1) turn.do(() => done.push(number));
  }, /^Error: one$/);
  const full = done.length;
  assert.deepEqual(done, ['first', ...Array(full - 2).keys(), 'stored']);
});

test('A socket is heard after a turn in which another failed', async () => {
  const { turn } = begun();
  const heard = [];
  const socket = transport();
  socket.onmessage = ({ data }) => heard.push(...data);
  const come = (byte) => socket.take(Uint8Array.of(byte).buffer) && turn.do(() => socket.hear());
  turn.do(fails('one'));
  come(1);
  const failure = thrown();
  assert.equal(await failure, 'one');
  come(2);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(heard, [1, 2]);
});

test('What waits to be sent to one socket is sent, though it fail for another', () => {
  let run;
  const batch = new Batch((later) => (run = later));
  const sent = [];
  batch.add(fails('one'));
  batch.add(() => sent.push('other'));
  assert.throws(run, /^Error: one$/);
  assert.deepEqual(sent, ['other']);
});

test('A socket that is stopped hears what it has taken, and takes no more', () => {
  const socket = transport();
  const heard = [];
  socket.onmessage = ({ data }) => heard.push(...data);
  assert.equal(socket.take(Uint8Array.of(1).buffer), true);
  socket.stop();
  assert.equal(socket.take(Uint8Array.of(2).buffer), false);
  socket.hear();
  assert.equal(socket.take(Uint8Array.of(3).buffer), false);
  assert.deepEqual(heard, [1]);
});

function transport() {
  return new SocketTransport({}, {}, { pace: Pace.ofAll(), soon: Batch.soon() }, () => {});
}
