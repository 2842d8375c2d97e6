// The timer of a page, with a document and a Worker that a test plays. What a real browser does is in tests/interop.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './support.mjs';

const { PageTimer } = await source('page-timer.ts');

/** A page whose Workers the test looks at. */
function page(context, { forbids } = {}) {
  const listeners = new Set();
  const workers = [];
  const state = { now: 1_000, workers, listeners };
  const document = {
    visibilityState: 'visible',
    addEventListener: (_, call) => listeners.add(call),
    removeEventListener: (_, call) => listeners.delete(call),
  };
  class Worker {
    asked = [];
    constructor() {
      if (forbids === 'at once') throw new Error('the policy forbids it');
      workers.push(this);
    }
    postMessage(data) {
      this.asked.push(data);
    }
    terminate() {
      this.isGone = true;
    }
  }
  globalThis.document = document;
  globalThis.Worker = Worker;
  context.after(() => {
    delete globalThis.document;
    delete globalThis.Worker;
  });
  state.show = (visibilityState) => {
    document.visibilityState = visibilityState;
    for (const call of listeners) call();
  };
  return state;
}

test('While the page is hidden a Worker keeps the time, if somebody needs it', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const state = page(context);
  const timer = new PageTimer(() => state.now);
  let calls = 0;
  timer.set(2_000, () => (calls += 1));
  state.show('hidden');
  assert.equal(state.workers.length, 0, 'nobody needs it');
  timer.isNeeded = true;
  assert.equal(state.workers.length, 0, 'the page may only be on its way out');
  context.mock.timers.tick(999);
  state.show('visible');
  context.mock.timers.tick(1);
  state.show('hidden');
  timer.set(2_000, () => (calls += 1));
  assert.equal(state.workers.length, 0);
  context.mock.timers.tick(1_000);
  const [worker] = state.workers;
  assert.deepEqual(worker.asked, [1_000]);
  state.now = 1_500;
  worker.onmessage();
  assert.deepEqual([worker.asked.at(-1), calls], [500, 0], 'it was too early');
  state.now = 2_000;
  worker.onmessage();
  assert.equal(calls, 1);
  worker.onmessage();
  assert.equal(calls, 1);
  timer.set(3_000, () => (calls += 1));
  assert.equal(worker.asked.at(-1), 1_000);
  state.show('visible');
  assert.ok(worker.isGone);
  context.mock.timers.tick(999);
  assert.equal(calls, 1);
  state.now = 3_000;
  context.mock.timers.tick(1);
  assert.equal(calls, 2, 'the platform keeps the time again');
  state.show('hidden');
  timer.set(10_000, () => (calls += 1));
  context.mock.timers.tick(1_000);
  timer.clear();
  assert.equal(state.workers[1].asked.at(-1), null);
  timer.end();
  assert.deepEqual([state.workers[1].isGone, state.listeners.size], [true, 0]);
});

for (const forbids of ['at once', 'later']) {
  test(`Where the policy forbids a Worker, ${forbids}, the platform's timer has to do`, (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const state = page(context, { forbids });
    const timer = new PageTimer(() => state.now);
    let calls = 0;
    timer.isNeeded = true;
    state.show('hidden');
    context.mock.timers.tick(1_000);
    timer.set(2_000, () => (calls += 1));
    if (forbids === 'later') state.workers[0].onerror();
    state.now = 2_000;
    context.mock.timers.tick(1_000);
    assert.equal(calls, 1);
    timer.set(3_000, () => {});
    assert.equal(state.workers.length, forbids === 'later' ? 1 : 0, 'it is tried once');
    timer.end();
  });
}
