// What goes wrong in the middle: an instance that fails, a storage that does, a broker that is closed or imports meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, MqttError } from 'mqlite/broker';
import { Limited, Memory, Slow } from './storages.mjs';
import { RawTransport, rawClient } from './support.mjs';

const turn = () => new Promise((resolve) => setTimeout(resolve));
const trap = (broker) => rawClient(broker).onmessage({ data: new Uint8Array(2 ** 31) });
/** CONNECT of MQTT 5 with the Client Identifier `a` and a Session Expiry Interval of an hour. */
const CONNECT_A = '10 13 0004 4d515454 05 00 0000 05 11 00000e10 0001 61';

test('A broker whose timeout fails again and again is not revived for ever, because its connections could be resumed', async (context) => {
  context.mock.method(console, 'error', () => {});
  const { BrokerEngine } = await engineOf();
  const storage = new Memory();
  const broker = await Broker.open({ storage, resume: [] });
  const transport = new RawTransport();
  broker.accept(transport);
  transport.say(CONNECT_A);
  const { timeout } = BrokerEngine.prototype;
  let failures = 0;
  context.mock.method(BrokerEngine.prototype, 'timeout', function (now) {
    // It would go on for ever, and nothing else in this program would have a turn.
    if (failures === 1_000) return timeout.call(this, now);
    failures += 1;
    throw new WebAssembly.RuntimeError('unreachable');
  });
  trap(broker);
  await turn();
  await broker.close().catch(() => {});
  assert.ok(failures < 10, `${failures} engines were made without a turn for anybody else`);
});

test('When an instance fails, connections are resumed, but not those for which it had something left', async (context) => {
  context.mock.method(console, 'error', () => {});
  const broker = await Broker.open({ storage: new Memory(), resume: [] });
  const [slow, other] = [rawClient(broker), rawClient(broker)];
  slow.say('82' + '07' + '0001' + '00' + '000174' + '00');
  Object.defineProperty(slow, 'bufferedAmount', { get: () => 1 });
  for (let count = 0; count < 2; count += 1) other.say('30' + '05' + '000174' + '00' + '78');
  trap(broker);
  await turn();
  assert.deepEqual([slow.closed, other.closed], [true, false]);
  other.hear();
  other.say('c000');
  assert.equal(other.hear(), 'd000');
  await broker.close();
});

test('Nor is one resumed that has written when an instance fails over what is left for it', async (context) => {
  context.mock.method(console, 'error', () => {});
  const { BrokerEngine } = await engineOf();
  const broker = await Broker.open({ storage: new Memory(), resume: [] });
  const [slow, other] = [rawClient(broker), rawClient(broker)];
  slow.say('82' + '07' + '0001' + '00' + '000174' + '00');
  let buffered = 1;
  Object.defineProperty(slow, 'bufferedAmount', { get: () => buffered });
  for (let count = 0; count < 2; count += 1) other.say('30' + '05' + '000174' + '00' + '78');
  const fail = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  context.mock.method(BrokerEngine.prototype, 'writable', fail, { times: 1 });
  buffered = 0;
  slow.say('c000');
  await turn();
  assert.deepEqual([slow.closed, other.closed], [true, false]);
  await broker.close();
});

test('A storage that was given up for memory is closed, at the latest with its broker', async () => {
  const storage = new Slow();
  const broker = await Broker.open({ storage, storageFallback: 'memory' });
  const client = await broker.connect({ clientId: 'eve', reconnect: false });
  const published = client.publish('t', 'x', { qos: 1, retain: true });
  while (storage.pending.length === 0) await turn();
  storage.finish(new MqttError('storage-full', 'There is no room.'));
  await published;
  await broker.close();
  assert.equal(storage.closed, 1);
});

test('A storage that could not be loaded is closed', async () => {
  const storage = new Memory();
  storage.load = () => Promise.reject(new MqttError('storage-failed', 'A page of it is bad.'));
  await assert.rejects(Broker.open({ storage }));
  assert.equal(storage.closed, 1);
  const broker = await Broker.open({ storage, storageFallback: 'memory' });
  await broker.close();
  assert.equal(storage.closed, 2);
});

test('An import that a close came before says so', async () => {
  const file = await exported('x');
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  const imported = broker.import(file).then(() => 'imported', ({ code }) => code);
  const closed = broker.close();
  const outcome = await imported;
  await closed;
  const next = await Broker.open({ storage });
  const isThere = next.statistics().retainedMessages === 1;
  await next.close();
  assert.equal(outcome, isThere ? 'imported' : 'closed');
});

test('An import goes on, or fails alone, when another broker breaks the instance', async (context) => {
  context.mock.method(console, 'error', () => {});
  const file = await exported('x');
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  await broker.publish('old', 'x', { retain: true });
  const other = await Broker.open({ storage: new Memory() });
  const imported = broker.import(file).then(() => 'imported', (error) => error.code);
  trap(other);
  const outcome = await imported;
  await broker.connect().catch(() => {});
  assert.equal(broker.statistics().retainedMessages, 1);
  assert.notEqual(outcome, 'invalid-options', 'nothing is wrong with the file');
  await broker.close();
  await other.close();
});

test('Nothing is on its way in a storage that is closed, also when an event closes the broker', async () => {
  const storage = new Slow();
  let closing;
  const onEvent = ({ type }) => {
    if (type === 'connected') closing ??= broker.close();
  };
  const broker = await Broker.open({ storage, onEvent });
  const wasBusy = new Promise((resolve) => {
    storage.close = () => resolve(storage.pending.length);
  });
  const transport = new RawTransport();
  broker.accept(transport);
  transport.say(CONNECT_A);
  const finishing = setInterval(() => storage.pending.length > 0 && storage.finish(), 20);
  try {
    assert.equal(await wasBusy, 0);
  } finally {
    await closing;
    clearInterval(finishing);
  }
});

test('Clients hear that the broker goes when an event has it import', async () => {
  const file = await exported('x');
  let importing;
  const onEvent = ({ type }) => {
    if (type === 'connected') importing ??= broker.import(file);
  };
  const broker = await Broker.open({ onEvent });
  const transport = new RawTransport();
  broker.accept(transport);
  transport.say(CONNECT_A);
  await importing;
  assert.match(transport.hear(), /e0..8b/);
  await broker.close();
});

test('A connection that is accepted while a file is imported is served', async () => {
  const file = await exported('x');
  const broker = await Broker.open();
  const imported = broker.import(file);
  const transport = new RawTransport();
  broker.accept(transport);
  await imported;
  transport.say(CONNECT_A);
  assert.match(transport.hear(), /^20/);
  await broker.close();
});

test('A storage whose values have no room for what must be stored is refused in words', async () => {
  const storage = Object.assign(new Memory(), { maximumValueBytes: 262_143 });
  await assert.rejects(Broker.open({ storage }), { code: 'invalid-options', message: /values of 262144 bytes/ });
});

test('Resumed connections come before anything else, although one of them breaks the instance', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  const first = await Broker.open({ storage, resume: [] });
  const transports = ['61', '62'].map((name) => {
    const transport = new RawTransport();
    first.accept(transport);
    transport.say(CONNECT_A.replace(/61$/, name));
    return transport;
  });
  for (const transport of transports) {
    transport.hear();
    transport.onmessage = transport.onclose = null;
  }
  const { BrokerEngine } = await engineOf();
  const { resumed } = BrokerEngine.prototype;
  let calls = 0;
  context.mock.method(BrokerEngine.prototype, 'resumed', function (...given) {
    calls += 1;
    if (calls === 1) throw new WebAssembly.RuntimeError('unreachable');
    return resumed.apply(this, given);
  });
  const broker = await Broker.open({ storage, resume: transports });
  await turn();
  await turn();
  assert.deepEqual(transports.map(({ closed }) => closed), [false, false]);
  await broker.close();
});

test('What is published while an engine is replaced is stored, although the broker is closed then', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  trap(broker);
  const published = broker.publish('t', 'x', { retain: true }).then(() => 'taken', ({ code }) => code);
  await broker.close();
  const outcome = await published;
  assert.equal(outcome === 'taken', storage.records.size > 0, `${outcome}, ${storage.records.size} records`);
});

test('An export for which there is no memory is an error in words, and the broker goes on', async (context) => {
  context.mock.method(console, 'error', () => {});
  const { BrokerEngine } = await engineOf();
  const broker = await Broker.open({ storage: new Memory() });
  context.mock.method(BrokerEngine.prototype, 'export', () => {
    throw new WebAssembly.RuntimeError('unreachable');
  });
  await assert.rejects(broker.export(), { name: 'MqttError', code: 'broken' });
  await broker.close();
});

test('A broker that fails together with its storage does not go on with nothing', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Slow();
  const broker = await Broker.open({ storage, storageFallback: 'memory' });
  const first = broker.publish('first', 'x', { retain: true });
  storage.finish();
  await first;
  const offender = rawClient(broker);
  const second = broker.publish('second', 'x', { retain: true }).catch(() => {});
  offender.onmessage({ data: new Uint8Array(2 ** 31) });
  storage.finish(new MqttError('storage-full', 'There is no room.'));
  await second;
  await turn();
  await turn();
  let retained;
  try {
    retained = broker.statistics().retainedMessages;
  } catch ({ code }) {
    retained = code;
  }
  await broker.close().catch(() => {});
  assert.notEqual(retained, 0);
});

test('What is imported is what there is, although the engine that was to shut down failed', async (context) => {
  context.mock.method(console, 'error', () => {});
  const file = await exported('x');
  const { BrokerEngine } = await engineOf();
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  await broker.publish('old', 'x', { retain: true });
  await broker.publish('older', 'x', { retain: true });
  const load = storage.load.bind(storage);
  storage.load = async () => {
    const records = load();
    // The first one takes longer: it is for the engine that replaces the one that failed.
    if (storage.loads === 2) for (let count = 0; count < 5; count += 1) await turn();
    return records;
  };
  const { shutDown } = BrokerEngine.prototype;
  let calls = 0;
  context.mock.method(BrokerEngine.prototype, 'shutDown', function (now) {
    calls += 1;
    if (calls === 1) throw new WebAssembly.RuntimeError('unreachable');
    return shutDown.call(this, now);
  });
  const outcome = await broker.import(file).then(() => 'imported', ({ code }) => code);
  for (let count = 0; count < 10; count += 1) await turn();
  const live = Buffer.from(await broker.export()).toString('latin1');
  await broker.close();
  const next = await Broker.open({ storage });
  const stored = Buffer.from(await next.export()).toString('latin1');
  await next.close();
  assert.equal(live, stored, `${outcome}: what is in memory is not what is stored`);
});

test('What the host publishes is no larger than a value may be, or is refused alone', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Limited(500_000);
  const broker = await Broker.open({ storage });
  await broker.publish('t', new Uint8Array(600_000), { retain: true }).catch(() => {});
  await broker.connect();
  assert.ok(storage.largest <= 500_000);
  await broker.close();
});

test('A file with more in a value than this storage takes is refused, and nothing is lost', async (context) => {
  context.mock.method(console, 'error', () => {});
  const file = await exported(new Uint8Array(600_000));
  const broker = await Broker.open({ storage: new Limited(500_000) });
  await assert.rejects(broker.import(file));
  await broker.connect();
  await broker.close();
});

test('What is stored of a connection is no larger than a value may be', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Limited(300_000);
  const broker = await Broker.open({ storage, resume: [] });
  const [ada, bob] = ['61', '62'].map((name) => {
    const transport = new RawTransport();
    broker.accept(transport);
    transport.say(`10 11 0004 4d515454 05 02 0000 03 220040 0001 ${name}`); // Topic Alias Maximum 64
    return transport;
  });
  const publish = (topic, alias) => {
    const body = [...two(topic.length), ...Buffer.from(topic), 3, 0x23, ...two(alias), 0x78];
    return Buffer.from([0x30, (body.length & 0x7f) | 0x80, body.length >> 7, ...body]).toString('hex');
  };
  ada.say('82 07 0001 00 0001 23 00'); // SUBSCRIBE to #
  for (let alias = 1; alias <= 64; alias += 1) {
    ada.say(publish(`in/${alias}/${'x'.repeat(1_900)}`, alias));
    bob.say(publish(`out/${alias}/${'y'.repeat(1_900)}`, alias));
  }
  assert.ok(storage.largest <= 300_000, `${storage.largest} bytes`);
  await broker.close();
});

const two = (number) => [number >> 8, number & 0xff];

test('A connection that was closed, and whose transport is still there, does not come back in place of the one that took it over', async () => {
  const storage = new Memory();
  const first = await Broker.open({ storage, resume: [] });
  const [old, current] = [0, 1].map(() => {
    const transport = new RawTransport();
    first.accept(transport);
    transport.say(CONNECT_A);
    transport.hear();
    return transport;
  });
  assert.deepEqual([old.closed, current.closed], [true, false]);
  for (const transport of [old, current]) transport.onmessage = transport.onclose = null;
  const next = await Broker.open({ storage, resume: [old, current] });
  current.say('c000');
  assert.equal(current.hear(), 'd000');
  await next.close();
});

test('The first client that comes after another broker has broken the instance is served', async (context) => {
  context.mock.method(console, 'error', () => {});
  const broker = await Broker.open({ storage: new Memory() });
  const other = await Broker.open({ storage: new Memory() });
  trap(other);
  await turn();
  const client = await broker.connect();
  await client.end();
  await broker.close();
  await other.close();
});

test('A connection that wakes a broker whose instance another has broken is opened once', async (context) => {
  context.mock.method(console, 'error', () => {});
  const broker = await Broker.open({ storage: new Memory(), resume: [], maximumConnections: 1 });
  const other = await Broker.open({ storage: new Memory() });
  trap(other);
  await turn();
  const transport = new RawTransport();
  broker.accept(transport);
  await turn();
  transport.say(CONNECT_A);
  assert.match(transport.hear(), /^20/);
  await broker.close();
  await other.close();
});

test('What comes at any moment of an import is taken by the broker that there is afterwards', async () => {
  const file = await exported('x');
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  const taken = publishingWhileLoaded(broker, storage);
  await broker.import(file);
  await turn();
  await Promise.all(taken);
  const { retainedMessages } = broker.statistics();
  assert.deepEqual([retainedMessages, storage.records.size], [11, 11]);
  await broker.close();
});

test('What comes at any moment while an engine is replaced does not end the broker', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new Memory();
  const broker = await Broker.open({ storage });
  const taken = publishingWhileLoaded(broker, storage);
  trap(broker);
  await turn();
  await Promise.all(taken);
  assert.equal(broker.statistics().retainedMessages, 10);
  await broker.close();
});

/** What a broker exports that retains this payload for the topic `new`. */
async function exported(payload) {
  const source = await Broker.open();
  await source.publish('new', payload, { retain: true });
  const file = await source.export();
  await source.close();
  return file;
}

/** Has the host publish ten messages, one a microtask, as soon as the storage is loaded again. */
function publishingWhileLoaded(broker, storage) {
  const load = storage.load.bind(storage);
  const taken = [];
  storage.load = async () => {
    void (async () => {
      for (let count = 0; count < 10; count += 1) {
        await null;
        taken.push(broker.publish(`late/${count}`, 'x', { retain: true }));
      }
    })();
    return load();
  };
  return taken;
}

/** The class of engines: the package shows it to nobody, but the glue marks each engine as it is made. */
async function engineOf() {
  const { defineProperty } = Object;
  let engine;
  Object.defineProperty = (target, name, descriptor) => {
    if (name === '__wbg_inst' && 'shutDown' in target) engine = target;
    return defineProperty(target, name, descriptor);
  };
  try {
    const broker = await Broker.open();
    await broker.close();
  } finally {
    Object.defineProperty = defineProperty;
  }
  return { BrokerEngine: Object.getPrototypeOf(engine).constructor };
}
