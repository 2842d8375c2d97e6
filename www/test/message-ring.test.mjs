// The ring of the latest messages, and the search in it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageRing } from '../src/model/message-ring.ts';
import { MessageSearch } from '../src/model/message-search.ts';
import { message } from './messages.mjs';

describe('a message ring', () => {
  test('keeps the latest so many, and says how many made room', () => {
    const ring = filled(25, { messages: 10 });
    assert.equal(ring.length, 10);
    assert.equal(ring.forgotten, 15);
    assert.deepEqual(topics(ring), ['15', '16', '17', '18', '19', '20', '21', '22', '23', '24']);
    assert.equal(ring.at(-1).topic, '24');
    assert.equal(ring.at(10), undefined);
  });

  test('keeps as many bytes as it may, and a larger message alone', () => {
    const ring = new MessageRing({ bytes: 100 });
    for (let index = 0; index < 10; index += 1) ring.push(message(String(index), 'x'.repeat(30)));
    assert.deepEqual(topics(ring), ['7', '8', '9']);
    assert.equal(ring.bytes, 96);
    ring.push(message('large', 'x'.repeat(1_000)));
    assert.deepEqual(topics(ring), ['large']);
    assert.equal(ring.bytes, 1_010);
    ring.push(message('small', 'x'));
    assert.deepEqual(topics(ring), ['small']);
    assert.equal(ring.forgotten, 11);
  });

  for (const [what, topic, properties] of [
    ['topics', 'x'.repeat(1_000), {}],
    ['Content Types', 'a', { contentType: 'x'.repeat(1_000) }],
    ['Response Topics', 'a', { responseTopic: 'x'.repeat(1_000) }],
    ['Correlation Data', 'a', { correlationData: new Uint8Array(1_000) }],
    ['User Properties', 'a', { userProperties: [['x'.repeat(1_000), ''], ['', '']] }],
    ['many User Properties', 'a', { userProperties: Array.from({ length: 30 }, () => ['', '']) }],
    ['Subscription Identifiers', 'a', { subscriptionIdentifiers: Array.from({ length: 200 }, () => 1) }],
  ]) {
    test(`counts ${what} as it counts payloads`, () => {
      const ring = new MessageRing({ bytes: 10_000 });
      for (let index = 0; index < 20; index += 1) ring.push(message(topic, '', { properties }));
      assert.ok(ring.length < 20 && ring.length > 2, String(ring.length));
      assert.ok(ring.bytes <= 10_000);
      ring.push(message('large', 'x'.repeat(10_000)));
      assert.equal(ring.bytes, 10_010);
    });
  }

  test('finds a message by its number while it is here', () => {
    const ring = filled(25, { messages: 10 });
    assert.equal(ring.numbered(14), undefined);
    assert.equal(ring.numbered(15).topic, '15');
    assert.equal(ring.numbered(24).topic, '24');
    assert.equal(ring.numbered(25), undefined);
  });

  test('is empty after it was cleared, and counts anew', () => {
    const ring = filled(25, { messages: 10 });
    ring.clear();
    assert.equal(ring.length + ring.forgotten + ring.bytes, 0);
    ring.push(message('again'));
    assert.deepEqual(topics(ring), ['again']);
    assert.equal(ring.numbered(0).topic, 'again');
  });

  test('changes its version once for all that came within a frame', async () => {
    const ring = filled(1_000);
    assert.equal(ring.version.value, 0);
    await versionAfter(ring, 0);
    assert.equal(ring.version.value, 1);
    ring.push(message('later'));
    await versionAfter(ring, 1);
    assert.equal(ring.version.value, 2);
  });
});

describe('a search', () => {
  test('finds topics, payloads and properties in whatever case, and Topic Filters', () => {
    const ring = new MessageRing();
    ring.push(message('Sensor/10/temperature', '23.5'));
    ring.push(message('sensor/10/state', 'Door OPEN'));
    ring.push(message('other', '', { properties: { userProperties: [['Room', 'Attic']] } }));
    assert.deepEqual(found(ring, 'SENSOR'), [0, 1]);
    assert.deepEqual(found(ring, 'open'), [1]);
    assert.deepEqual(found(ring, 'attic'), [2]);
    assert.deepEqual(found(ring, '+/10/state'), [1]);
    assert.deepEqual(found(ring, 'nowhere'), []);
    assert.deepEqual(found(ring, ''), [0, 1, 2]);
  });

  test('finds by direction', () => {
    const ring = new MessageRing();
    ring.push(message('a'));
    ring.push(message('a', '', { direction: 'sent' }));
    assert.deepEqual(found(ring, '', { direction: 'sent' }), [1]);
  });

  test('goes on where it stopped, and gives up what left the ring', () => {
    const ring = filled(25, { messages: 10 });
    const search = new MessageSearch(ring, { text: '2' });
    assert.equal(search.advance(1_000), true);
    assert.deepEqual(numbers(search), [20, 21, 22, 23, 24]);
    for (let index = 25; index < 33; index += 1) ring.push(message(String(index)));
    assert.equal(search.length, 2);
    search.advance(1_000);
    assert.deepEqual(numbers(search), [23, 24, 25, 26, 27, 28, 29, 32]);
    assert.equal(search.forgotten, 3);
    assert.equal(search.at(0).topic, '23');
  });

  test('looks at a part at a time', () => {
    const search = new MessageSearch(filled(1_000), { text: '' });
    assert.equal(search.advance(0), false);
    assert.equal(search.length, 64);
    while (!search.advance(0));
    assert.equal(search.length, 1_000);
  });

  test('looks at fewer large ones at a time', () => {
    const ring = new MessageRing();
    for (let index = 0; index < 10; index += 1) ring.push(message('a', 'x'.repeat(1_000_000)));
    const search = new MessageSearch(ring, { text: 'x' });
    assert.equal(search.advance(0), false);
    assert.equal(search.length, 1);
    while (!search.advance(0));
    assert.equal(search.length, 10);
  });

  test('begins anew with a ring that was cleared, even when it is fuller than before', () => {
    const ring = filled(10);
    const search = new MessageSearch(ring, { text: '' });
    search.advance(1_000);
    ring.clear();
    for (let index = 0; index < 20; index += 1) ring.push(message(`new ${index}`));
    search.advance(1_000);
    assert.equal(search.length, 20);
    assert.equal(search.at(0).topic, 'new 0');
  });

  test('keeps what it found bounded, however much passes', () => {
    const ring = filled(0, { messages: 10 });
    const search = new MessageSearch(ring, { text: '' });
    for (let index = 0; index < 20_000; index += 1) {
      ring.push(message(String(index)));
      search.advance(1_000);
    }
    assert.equal(search.length, 10);
    assert.equal(search.forgotten, 19_990);
    assert.equal(search.at(0).topic, '19990');
  });
});

function filled(count, limits) {
  const ring = new MessageRing(limits);
  for (let index = 0; index < count; index += 1) ring.push(message(String(index)));
  return ring;
}

function topics(ring) {
  return Array.from({ length: ring.length }, (_, index) => ring.at(index).topic);
}

function found(ring, text, others = {}) {
  const search = new MessageSearch(ring, { text, ...others });
  assert.equal(search.advance(1_000), true);
  return numbers(search);
}

function numbers(search) {
  return Array.from({ length: search.length }, (_, index) => search.numberAt(index));
}

function versionAfter(ring, version) {
  return new Promise((resolve) => {
    const stop = ring.version.subscribe((now) => {
      if (now <= version) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}
