// The arithmetic of the benchmarks, with contestants whose figures are known.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { evaluate, median, ratioOf, run } from './harness.mjs';
import { summaryOf, tablesOf, writeBetween } from './tables.mjs';

test('a median is the middle one, between two that are in the middle, and of nothing nothing', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 9, 2]), 3);
  assert.equal(median([undefined, 7, NaN]), 7);
  assert.equal(median([]), undefined);
});

test('a ratio is the median of the ratios within rounds, not the ratio of the medians', () => {
  const rounds = [{ a: { rate: 10 }, b: { rate: 5 } }, { a: { rate: 30 }, b: { rate: 10 } }, { a: { rate: 8 }, b: { rate: 1 } }];
  assert.equal(ratioOf(rounds, 'a', 'b', 'rate'), 3); // of the medians it would be 2
  assert.equal(ratioOf(rounds, 'a', 'b', 'rate', 'less'), 1 / 3);
  assert.equal(ratioOf([{ a: { rate: 1 } }, { b: { rate: 1 } }], 'a', 'b', 'rate'), undefined);
});

test('rounds interleave the contestants, and each comes first in turn', async () => {
  const calls = [];
  const contestant = (name) => async ({ round }) => (calls.push(`${name}${round}`), { rate: 1 });
  await run({ name: 'x', contestants: { a: contestant('a'), b: contestant('b'), c: contestant('c') } }, { repeats: 3 });
  assert.deepEqual(calls, ['a0', 'b0', 'c0', 'b1', 'c1', 'a1', 'c2', 'a2', 'b2']);
});

test('one that fails is told and not asked again, and what is shared is closed', async () => {
  const calls = { good: 0, bad: 0 };
  let closed;
  const result = await run(
    {
      name: 'x',
      open: async () => 'shared',
      close: async (shared) => (closed = shared),
      contestants: {
        good: async ({ shared }) => ((calls.good += 1), { rate: shared.length }),
        bad: async () => {
          calls.bad += 1;
          throw new Error('12 of 100 messages were lost\nand more');
        },
      },
    },
    { repeats: 3 },
  );
  assert.deepEqual(calls, { good: 3, bad: 1 });
  assert.equal(closed, 'shared');
  assert.equal(result.contestants.bad.failed, '12 of 100 messages were lost');
  assert.equal(result.contestants.bad.ratio, undefined);
  assert.match(tablesOf([result]), /\| x \| 6 \| failed \|[^]*- x, bad: 12 of 100 messages were lost/);
});

test('a goal is not reached by a contestant that fails', async () => {
  const fails = async () => {
    throw new Error('it is not there');
  };
  const works = async () => ({ rate: 1 });
  const goals = [{ against: 'theirs', ratio: 2 }];
  const of = (contestants) => run({ name: 'x', text: 'one to one', summary: true, contestants, goals }, { repeats: 1 });
  assert.match(summaryOf([await of({ ours: fails, theirs: works })]), /\| failed \| .* \| missed: 2 x theirs, not measured \|$/);
  assert.match(summaryOf([await of({ ours: fails, theirs: fails })]), /\| missed: 2 x theirs, not measured \|$/);
  assert.match(summaryOf([await of({ ours: works, theirs: fails })]), /\| theirs failed \|  \|$/);
});

test('goals are compared with the median, or with the median of the ratios', () => {
  const scenario = {
    name: 'x',
    text: 'one to one',
    summary: true,
    contestants: { ours: null, theirs: null },
    goals: [{ against: 'theirs', ratio: 2 }, { least: 500 }, { figure: 'p99', against: 'theirs', ratio: 1, better: 'less' }, { figure: 'p99', most: 39 }],
  };
  const rounds = [{ ours: { rate: 300, p99: 40 }, theirs: { rate: 100, p99: 60 } }];
  const result = evaluate(scenario, rounds);
  assert.deepEqual(result.goals.map(({ isReached }) => isReached), [true, false, true, false]);
  assert.equal(
    summaryOf([result]).split('\n')[2],
    '| one to one | 300 messages/s | theirs 3.00 x | missed: at least 500, has 300; at most 39 (p99), has 40 |',
  );
  assert.match(tablesOf([result]), /\n- x: at least 500, has 300\n- x: at most 39 \(p99\), has 40$/);
  const reached = evaluate({ ...scenario, goals: [{ against: 'theirs', ratio: 2 }] }, rounds);
  assert.match(summaryOf([reached]), /\| theirs 3.00 x \| reached \|$/);
  assert.doesNotMatch(tablesOf([reached]), /missed/);
});

test('what stands between the markers of a file is replaced, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mqlite-bench-'));
  try {
    const file = join(folder, 'x.md');
    writeFileSync(file, 'before\n<!-- a -->\nold\n<!-- /a -->\nafter\n');
    writeBetween(file, 'a', 'new');
    assert.equal(readFileSync(file, 'utf8'), 'before\n<!-- a -->\nnew\n<!-- /a -->\nafter\n');
    assert.throws(() => writeBetween(file, 'b', 'new'), /has no <!-- b -->/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
