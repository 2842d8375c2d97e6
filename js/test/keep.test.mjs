import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { withBroker } from './support.mjs';

const bytes = (text) => new TextEncoder().encode(text);

const all = (broker, prefix) => [...broker.kept(prefix)].map(([name, value]) => [name, new TextDecoder().decode(value)]);

withBroker('What is kept is found by how its name begins, until it is taken away', async (broker) => {
  await broker.keep('user/bob', bytes('1'));
  await broker.keep('user/ada', bytes('2'));
  await broker.keep('other', bytes(''));
  assert.deepEqual(all(broker, 'user/'), [['user/ada', '2'], ['user/bob', '1']]);
  assert.deepEqual(all(broker).map(([name]) => name), ['other', 'user/ada', 'user/bob']);
  await broker.keep('user/ada', bytes('3'));
  await broker.keep('user/bob');
  await broker.keep('nobody');
  assert.deepEqual(all(broker, 'user/'), [['user/ada', '3']]);
  broker.kept('user/').get('user/ada').fill(0);
  assert.deepEqual(all(broker, 'user/'), [['user/ada', '3']]);
});

withBroker('What is kept by one name is found without those that begin with it', async (broker) => {
  for (const name of ['user/ad', 'user/ada-1', 'user/ada', 'user/ada/', 'user/b']) await broker.keep(name, bytes(name));
  for (const name of ['user/ad', 'user/ada', 'user/b']) assert.equal(new TextDecoder().decode(broker.keptValue(name)), name);
  for (const name of ['user/a', 'user/ada-', 'user/', '', 'user/c']) assert.equal(broker.keptValue(name), undefined, name);
  broker.keptValue('user/ada').fill(0);
  assert.equal(new TextDecoder().decode(broker.keptValue('user/ada')), 'user/ada');
  assert.throws(() => broker.keptValue(7), { code: 'invalid-options' });
  assert.throws(() => broker.keptValue('a\u0000'), { code: 'invalid-options' });
});

test('What is kept is durable when that is said, and is there for the next broker', async () => {
  const stored = new Map();
  let release;
  const storage = {
    load: () => [...stored.values()],
    commit: async (changes) => {
      await new Promise((resolve) => (release = resolve));
      for (const { key, value } of changes) stored.set(String(key), { key, value });
    },
  };
  const broker = await Broker.open({ storage });
  let isKept = false;
  const kept = broker.keep('user/ada', bytes('1')).then(() => (isKept = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isKept, false);
  release();
  await kept;
  assert.equal(stored.size, 1);
  broker.abandon();
  const next = await Broker.open({ storage });
  assert.deepEqual(all(next), [['user/ada', '1']]);
  await next.close();
});

withBroker('What is kept goes along with an export, and an import replaces it', async (broker) => {
  await broker.keep('user/ada', bytes('1'));
  const file = await broker.export();
  await broker.keep('user/bob', bytes('2'));
  assert.equal(await broker.import(file), 0);
  assert.deepEqual(all(broker), [['user/ada', '1']]);
});

test('What cannot be kept is refused, and says why', async () => {
  const broker = await Broker.open({ maximumKeptRecords: 1 });
  await assert.rejects(broker.keep('', bytes('1')), { code: 'invalid-options', message: /name/ });
  await assert.rejects(broker.keep('a', 'text'), { code: 'invalid-options' });
  await assert.rejects(broker.keep('a', new Uint8Array(70_000)), { code: 'invalid-options', message: /65,535/ });
  await broker.keep('a', new Uint8Array(65_535));
  await assert.rejects(broker.keep('b', bytes('1')), { code: 'storage-full', message: /maximumKeptRecords/ });
  await broker.close();
  await assert.rejects(broker.keep('a'), { code: 'closed' });
  assert.throws(() => broker.kept(), { code: 'closed' });
});
