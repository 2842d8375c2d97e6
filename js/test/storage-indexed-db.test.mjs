// What `indexedDb` says where there is no IndexedDB. The rest of its tests are in Chromium: tests/interop/storage.test.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, indexedDb } from 'mqlite/broker';

test('Where there is no IndexedDB, that is said, and a broker can go on without', async () => {
  const storage = indexedDb('tide');
  await assert.rejects(Broker.open({ storage }), { code: 'storage-unavailable', message: 'This platform has no IndexedDB.' });
  const events = [];
  const broker = await Broker.open({ storage, storageFallback: 'memory', onEvent: (event) => events.push(event) });
  await broker.publish('t', 'x', { retain: true });
  assert.deepEqual(events.map(({ type, error }) => [type, error.code]), [['storageFailed', 'storage-unavailable']]);
  await broker.close();
});

test('A name that is none and options that do not exist are refused', () => {
  for (const [name, options] of [
    [undefined],
    ['a', { durability: 'none' }],
    ['a', { wait: 1 }],
    ['a', { openTimeoutMillis: '1' }],
    ['a', { patience: true }],
  ]) {
    assert.throws(() => indexedDb(name, options), { code: 'invalid-options' });
  }
});
