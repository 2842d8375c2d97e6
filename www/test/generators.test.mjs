// Texts with places that are filled in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fill, GENERATORS, hasPlaces } from '../src/model/generators.ts';

const circumstances = (known = {}) => ({ count: 0, now: Date.UTC(2024, 1, 29, 6, 12), random: () => 0.5, ...known });

describe('places in a text', () => {
  test('are filled in, several in one, and the rest stays as it is', () => {
    assert.equal(fill('a {{counter}}{{ counter 5 }} { } }} b', circumstances()), 'a 15 { } }} b');
    assert.equal(fill('none', circumstances()), 'none');
    assert.deepEqual([hasPlaces('{a}'), hasPlaces('{{a')], [false, true]);
  });

  test('count from a number, in steps that binary fractions do not spoil', () => {
    const counted = (text) => [0, 1, 2, 3].map((count) => fill(text, circumstances({ count })));
    assert.deepEqual(counted('{{counter}}'), ['1', '2', '3', '4']);
    assert.deepEqual(counted('{{counter 0 0.1}}'), ['0', '0.1', '0.2', '0.3']);
    assert.deepEqual(counted('{{counter 5 -5}}'), ['5', '0', '-5', '-10']);
  });

  test('are random within their limits, both of them included', () => {
    const at = (random, text = '{{random -1 1}}') => fill(text, circumstances({ random: () => random }));
    assert.deepEqual([at(0), at(0.5), at(1 - 2 ** -53)], ['-1', '0', '1']);
    assert.deepEqual([at(0, '{{random}}'), at(1 - 2 ** -53, '{{random}}')], ['0', '100']);
    assert.equal(at(0.5, '{{random 0.5 2.5}}'), '2');
    assert.equal(at(0.25, '{{random 18 24 2}}'), '19.50');
  });

  test('are a wave, the time, a UUID and one of the words', () => {
    const wave = [0, 1, 2, 3, 4].map((count) => fill('{{wave 10 20 4}}', circumstances({ count })));
    assert.deepEqual(wave, ['15', '20', '15', '10', '15']);
    assert.equal(fill('{{time}} {{time s}} {{time iso}}', circumstances()), '1709187120000 1709187120 2024-02-29T06:12:00.000Z');
    const uuids = new Set(Array.from({ length: 50 }, () => fill('{{uuid}}', circumstances({ random: Math.random }))));
    assert.equal(uuids.size, 50);
    for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(fill('{{pick a b c}}', circumstances()), 'b');
  });

  test('are those that the form tells of', () => {
    for (const [, ...examples] of GENERATORS) for (const example of examples) assert.equal(typeof fill(example, circumstances()), 'string', example);
  });

  test('say what is wrong with them', () => {
    const faults = {
      unknown: ['{{nobody}}', '{{}}', '{{constructor}}', '{{Counter}}'],
      arguments: ['{{counter x}}', '{{counter 1 2 3}}', '{{counter 1e400}}', '{{random 5 1}}', '{{random 0.2 0.8}}', '{{random 0 1 99}}', '{{wave 0 1 0}}', '{{time now}}', '{{uuid 1}}', '{{pick}}'],
      unclosed: ['{{counter'],
    };
    for (const [fault, texts] of Object.entries(faults)) {
      for (const text of texts) assert.deepEqual(fill(`a ${text}`, circumstances()), { fault, place: text });
    }
  });
});
