// The broker in the page: what it keeps, what a crash costs, and where its storage is.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { connect } from 'mqlite/broker';
import { LIMIT_GROUPS, LIMITS, limitUnit } from '../src/model/broker-limits.ts';
import { InTabBroker } from '../src/model/in-tab-broker.ts';
import { lossOf, waiting } from '../src/model/inventory.ts';
import { LeasedStorage, replaceRecords } from '../src/model/leased-storage.ts';
import { MemoryStorage } from '../src/model/memory-storage.ts';
import { memoryStore } from '../src/model/store.ts';
import { WireLog } from '../src/model/wire-log.ts';

describe('the broker in the page', () => {
  test('keeps over a crash what is durable, and tells what is gone', async () => {
    const broker = new InTabBroker(new WireLog());
    await broker.open();
    const client = (clientId, sessionExpiryInterval) =>
      connect(() => broker.socket(), { clientId, cleanStart: false, reconnect: false, properties: { sessionExpiryInterval } });
    const archive = await client('archive', 3_600);
    await archive.subscribe('x/#', { qos: 1 }, () => {});
    await archive.end();
    const short = await client('short', 0);
    await short.publish('x/1', 'kept', { qos: 1, retain: true });
    await short.publish('x/2', 'lost', { qos: 0 });
    assert.ok(broker.storage.length >= 4 && broker.storage.bytes > 0 && broker.storage.commits > 0);
    const { length, bytes } = broker.storage;

    broker.kill();
    assert.equal(broker.status.value, 'killed');
    assert.equal(broker.crash.value.after, null);
    assert.deepEqual(broker.crash.value.before.clients.map(({ clientId, connected }) => [clientId, connected]), [['archive', false], ['short', true]]);
    await broker.restore();
    const { before, after } = broker.crash.value;
    assert.deepEqual(lossOf(before, after), { sessions: ['short'], topics: [] });
    assert.deepEqual(after.topics, ['x/1']);
    assert.deepEqual(after.clients.map((each) => [each.clientId, waiting(each), each.subscriptions]), [['archive', 1, 1]]);
    assert.equal(after.statistics.messagesReceived, 0);
    assert.ok(broker.storage.length <= length && broker.storage.bytes <= bytes && broker.storage.length > 0);
    broker.kill();
  });

  test('stays in memory, with all that it has, where the browser keeps nothing', async () => {
    const store = memoryStore();
    const broker = new InTabBroker(new WireLog(), store);
    await broker.open();
    await broker.running.publish('x', 'kept', { retain: true });
    await broker.keepIn('indexedDb');
    assert.equal(broker.status.value, 'open');
    assert.equal(broker.storageKind.value, 'memory');
    assert.equal(broker.storageError.value.code, 'storage-unavailable');
    assert.deepEqual(broker.running.retained('#').items.map(({ topic }) => topic), ['x']);
    assert.equal(store.getItem('mqlite.storage'), null);
    broker.kill();
  });

  test('goes on in memory where the storage of the last visit does not open, and says so', async () => {
    const store = memoryStore();
    store.setItem('mqlite.storage', '"indexedDb"');
    const broker = new InTabBroker(new WireLog(), store);
    await broker.open();
    assert.equal(broker.status.value, 'open');
    assert.equal(broker.storageError.value.code, 'storage-unavailable');
    await broker.running.publish('x', 'y', { retain: true });
    await broker.keepIn('memory');
    assert.deepEqual([broker.status.value, broker.storageKind.value, broker.storageError.value], ['open', 'memory', null]);
    broker.kill();
  });

  test('says all limits as the package has them, each once', async () => {
    const told = Object.values(LIMIT_GROUPS).flat();
    assert.deepEqual([...told].sort(), Object.keys(LIMITS).sort());
    const options = await readFile(new URL('../../js/src/options.ts', import.meta.url), 'utf8');
    for (const name of told) {
      if (name === 'sysIntervalSeconds') continue; // more often here
      const [, text] = options.match(new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*${name}\\?:`));
      const [, value] = text.match(/Default ([\d,]+)/);
      assert.equal(LIMITS[name], Number(value.replaceAll(',', '')), name);
    }
    assert.deepEqual(['sendBuffer', 'maximumPacketSize', 'connectTimeoutMillis', 'maximumDelaySeconds', 'maximumQos'].map(limitUnit), [
      'bytes', 'bytes', 'milliseconds', 'seconds', 'count',
    ]);
  });
});

describe('the storage of one broker', () => {
  const bytes = (...values) => new Uint8Array(values);

  test('counts what is kept', async () => {
    const memory = new MemoryStorage();
    const lease = new LeasedStorage(memory);
    assert.equal(lease.commit([{ key: bytes(1, 200), value: bytes(1, 2, 3) }, { key: bytes(2), value: bytes() }]), undefined);
    assert.deepEqual([lease.length, lease.bytes, lease.commits], [2, 6, 1]);
    lease.commit([{ key: bytes(1, 200), value: bytes(9) }, { key: bytes(2), value: undefined }, { key: bytes(3), value: undefined }]);
    assert.deepEqual([lease.length, lease.bytes, lease.commits], [1, 3, 2]);
    const later = new LeasedStorage(memory);
    assert.deepEqual(await later.load(), [{ key: bytes(1, 200), value: bytes(9) }]);
    assert.deepEqual([later.length, later.bytes], [1, 3]);
  });

  test('takes nothing from a broker that was killed', async () => {
    const memory = new MemoryStorage();
    const lease = new LeasedStorage(memory);
    await lease.abandon();
    void lease.commit([{ key: bytes(1), value: bytes(1) }]);
    assert.deepEqual(memory.load(), []);
  });

  test('counts what is written later when it is written', async () => {
    let written;
    const lease = new LeasedStorage({ load: () => [], commit: () => new Promise((resolve) => (written = resolve)), maximumValueBytes: 7 });
    assert.equal(lease.maximumValueBytes, 7);
    const done = lease.commit([{ key: bytes(1), value: bytes(1) }]);
    assert.equal(lease.length, 0);
    written();
    await done;
    assert.equal(lease.length, 1);
  });

  test('has other records in place of its own, at once', async () => {
    const memory = new MemoryStorage();
    memory.commit([{ key: bytes(1), value: bytes(1) }]);
    await replaceRecords(memory, [{ key: bytes(2), value: bytes(2) }]);
    assert.deepEqual(memory.load(), [{ key: bytes(2), value: bytes(2) }]);
  });
});
