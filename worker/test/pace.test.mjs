// Who is sent fewer, larger messages, and how those come in who come together.

import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

// The sources name each other as they are called when they are built.
registerHooks({
  resolve: (specifier, context, next) => next(context.parentURL?.includes('/src/') ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});
const { Pace } = await import('../src/pace.ts');
const { Doorway } = await import('../src/doorway.ts');

/** Whether a pace is busy after so many in each of some windows of 20 ms. */
function isBusyAfter(counts, isJoined = false) {
  const pace = new Pace();
  for (const [window, count] of counts.entries()) {
    for (let each = 0; each < count; each += 1) pace.isBusy(1_000 + window * 20, isJoined && each > 0);
  }
  return pace.isBusy(1_000 + counts.length * 20, false);
}

test('Ten messages by themselves in 20 ms are many, and nine are not', () => {
  assert.equal(isBusyAfter([10]), true);
  assert.equal(isBusyAfter([9]), false);
  assert.equal(isBusyAfter([10, 10, 9]), false);
  assert.equal(isBusyAfter([10, 0]), false);
});

test('Those that leave as one message count as one, unless it is because there were many', () => {
  assert.equal(isBusyAfter([100], true), false);
  const pace = new Pace();
  for (let each = 0; each < 10; each += 1) pace.isBusy(1_000, false);
  for (let each = 0; each < 10; each += 1) pace.isBusy(1_020, true);
  assert.equal(pace.isBusy(1_040, false), true);
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
