// Measurements: how durations are told, and that what is counted is what happened.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench } from '../src/model/bench.ts';
import { INITIAL_SETTING, isSound, SCENARIOS, settingFaults } from '../src/model/bench-setting.ts';
import { Tally } from '../src/model/bench-tally.ts';
import { Quantiles } from '../src/model/quantiles.ts';

describe('quantiles', () => {
  test('are those of the sorted durations, never lower and at most 1.1 % higher', () => {
    let seed = 7;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const durations = Array.from({ length: 20_000 }, () => 0.01 * 10 ** (6 * random() ** 2));
    const quantiles = new Quantiles();
    for (const duration of durations) quantiles.add(duration);
    durations.sort((one, other) => one - other);
    for (const part of [0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1]) {
      const exact = durations[Math.max(1, Math.ceil(part * durations.length)) - 1];
      const told = quantiles.at(part);
      assert.ok(told >= exact * (1 - 1e-9) && told <= exact * 1.011, `${part}: ${told} for ${exact}`);
    }
    assert.equal(quantiles.most, durations.at(-1));
    assert.equal(quantiles.at(1), durations.at(-1));
    assert.ok(Math.abs(quantiles.mean - durations.reduce((sum, each) => sum + each) / durations.length) < 1e-6);
  });

  test('of one, of none, and of what is out of range', () => {
    const quantiles = new Quantiles();
    assert.equal(quantiles.at(0.5), null);
    quantiles.add(3.5);
    for (const part of [0, 0.5, 0.99, 1]) assert.equal(quantiles.at(part), 3.5);
    quantiles.clear();
    assert.equal(quantiles.at(0.5), null);
    assert.equal(quantiles.most, 0);
    quantiles.add(-1);
    quantiles.add(1e12);
    assert.equal(quantiles.count, 2);
    assert.ok(quantiles.at(0.5) <= 0.001);
    assert.equal(quantiles.most, 1e12);
  });

  test('half of them are not longer than the middle', () => {
    const quantiles = new Quantiles();
    for (const duration of [1, 2, 3, 4]) quantiles.add(duration);
    assert.ok(quantiles.at(0.5) >= 2 && quantiles.at(0.5) < 2.03);
    assert.ok(quantiles.at(0.75) >= 3 && quantiles.at(0.75) < 3.04);
  });
});

describe('a tally', () => {
  test('counts until the end, and what comes later as late', () => {
    const tally = new Tally();
    tally.begin(1_000);
    tally.done(1, 1_100, 1_110);
    tally.done(2);
    tally.sample(1_500);
    tally.done(1, 1_590, 1_600);
    tally.end(2_000);
    tally.done(5, 1_900, 2_100);
    assert.deepEqual([tally.counted, tally.late, tally.durations.count], [4, 5, 2]);
    assert.equal(tally.elapsed(9_000), 1);
    assert.deepEqual(tally.points.map(({ time, rate }) => [time, rate]), [[0.5, 6], [1, 2]]);
    assert.ok(Math.abs(tally.points[0].p50 - 10) < 0.2);
  });
});

describe('a setting', () => {
  test('is sound within its limits alone', () => {
    assert.ok(isSound(INITIAL_SETTING));
    for (const [field, values] of Object.entries({
      clients: [null, 0, 201, 1.5, Number.NaN],
      payload: [null, 15, 1_000_001],
      rate: [0, 100_001, Number.NaN],
      duration: [null, 0, 601],
      topic: ['', 'a/+', '$SYS/x'],
    })) {
      for (const value of values) assert.deepEqual(settingFaults({ ...INITIAL_SETTING, [field]: value }), { [field]: true }, `${field} ${value}`);
    }
  });
});

describe('a measurement', { concurrency: 4 }, () => {
  for (const scenario of SCENARIOS) {
    for (const qos of scenario === 'connect' || scenario === 'subscribe' ? [0] : [0, 1, 2]) {
      for (const rate of [null, 200]) {
        test(`counts all of ${scenario} at QoS ${qos}, ${rate ?? 'unlimited'}`, async () => {
          const bench = new Bench({ ...INITIAL_SETTING, scenario, qos, rate, clients: 3, duration: 1 }, null);
          const statuses = [];
          bench.status.subscribe((status) => statuses.push(status));
          await bench.run();
          assert.deepEqual(statuses, ['preparing', 'running', 'draining', 'done'], String(bench.error?.stack));
          const { sent, counted, late, behind, acknowledged, durations, points } = bench.tally;
          assert.ok(sent > 0);
          assert.equal(bench.missing, 0);
          assert.equal(counted + late, sent * (scenario === 'fanOut' ? 3 : 1));
          if (rate) assert.equal(sent + behind, rate);
          assert.equal(durations.count, scenario === 'publish' && qos === 0 ? 0 : counted);
          assert.equal(acknowledged, qos === 0 ? 0 : sent);
          assert.ok(points.length > 0);
          assert.equal(bench.connected, 0);
        });
      }
    }
  }

  test('can be stopped, and keeps what it counted', async () => {
    const bench = new Bench({ ...INITIAL_SETTING, duration: 600 }, null);
    const running = bench.run();
    await new Promise((resolve) => bench.version.subscribe(() => bench.tally.counted > 0 && resolve()));
    bench.stop();
    await running;
    assert.equal(bench.status.value, 'stopped');
    assert.ok(bench.tally.counted > 0);
  });
});
