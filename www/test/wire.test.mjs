// What passes between a client and a broker: split into packets, logged, and hindered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { exchangeOf } from '../src/model/exchange.ts';
import { Faults, LONGEST_DELAY } from '../src/model/faults.ts';
import { PacketSplitter } from '../src/model/packet-splitter.ts';
import { summarise } from '../src/model/packet-summary.ts';
import { tapped } from '../src/model/tapped-transport.ts';
import { WireLog } from '../src/model/wire-log.ts';
import { WireRows } from '../src/model/wire-rows.ts';

describe('a splitter', () => {
  const stream = Uint8Array.from([0xc0, 0, 0x30, 5, 0, 1, 0x61, 0, 0x62, 0x40, 2, 0, 1, 0xd0, 0]);

  test('finds the packets however the stream was cut', () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const splitter = new PacketSplitter(100, 100);
      const packets = [];
      for (let at = 0; at < stream.length; at += size) {
        splitter.split(stream.subarray(at, at + size), ({ kind, bytes }) => packets.push([kind, ...bytes]));
      }
      assert.deepEqual(packets, [
        ['packet', 0xc0, 0], ['packet', 0x30, 5, 0, 1, 0x61, 0, 0x62], ['packet', 0x40, 2, 0, 1], ['packet', 0xd0, 0],
      ], `in pieces of ${size}`);
      assert.equal(splitter.isWithin, false);
    }
  });

  test('lets a long packet go on in pieces, and keeps its beginning', () => {
    const long = Uint8Array.from([0x30, 20, ...Array(20).keys()]);
    const splitter = new PacketSplitter(10, 5);
    const pieces = [];
    const chunks = [long.subarray(0, 3), long.subarray(3, 12), Uint8Array.from([...long.subarray(12), 0xc0, 0])];
    for (const chunk of chunks) splitter.split(chunk, ({ kind, bytes, length }) => pieces.push([kind, bytes.length, length]));
    assert.deepEqual(pieces, [
      ['part', 3, undefined], ['part', 9, undefined], ['part', 10, undefined], ['long', 5, 22], ['packet', 2, undefined],
    ]);
  });

  test('takes a whole packet as one however long it is', () => {
    const pieces = [];
    new PacketSplitter(10, 5).split(Uint8Array.from([0x30, 20, ...Array(20).keys()]), ({ kind }) => pieces.push(kind));
    assert.deepEqual(pieces, ['packet']);
  });

  test('gives up where no packet can begin', () => {
    const splitter = new PacketSplitter(10, 5);
    const pieces = [];
    for (const chunk of [[0xc0, 0, 0x30, 0xff, 0xff], [0xff, 0xff, 1], [0xc0, 0]]) {
      splitter.split(Uint8Array.from(chunk), ({ kind, bytes }) => pieces.push([kind, bytes.length]));
    }
    assert.deepEqual(pieces, [['packet', 2], ['garbage', 6], ['garbage', 2]]);
  });
});

describe('a log', () => {
  test('keeps the latest entries and so many bytes, by their numbers', () => {
    const log = new WireLog({ entries: 5, bytes: 100 });
    const party = log.join('tab');
    const push = (size) => log.push({ kind: 'packet', time: 0, party, direction: 'sent', version: 5, bytes: new Uint8Array(size), length: size });
    for (let count = 0; count < 8; count += 1) push(1);
    assert.deepEqual([log.length, log.first, log.next], [5, 3, 8]);
    assert.equal(log.numbered(2), undefined);
    assert.equal(log.numbered(3).number, 3);
    push(99);
    assert.deepEqual([log.length, log.first], [2, 7]);
    push(1_000);
    assert.deepEqual([log.length, log.first, log.numbered(9).length], [1, 9, 1_000]);
    log.clear();
    assert.deepEqual([log.length, log.first, log.next], [0, 10, 10]);
    assert.equal(push(1).number, 10);
  });

  test('knows who is there', () => {
    const log = new WireLog();
    const [one, other] = [log.join('tab'), log.join('wss://a.example/mqtt', 'sensor')];
    assert.ok(other.number > one.number);
    assert.deepEqual(log.parties.value, [one, other]);
    log.leave(one);
    assert.deepEqual(log.parties.value, [other]);
  });
});

describe('the rows of a log', () => {
  const [publish, ping, connect] = [0x30, 0xc0, 0x10];

  function world(limits) {
    const log = new WireLog(limits);
    const [one, other] = [log.join('tab'), log.join('tab')];
    const push = (party, ...firsts) => {
      for (const first of firsts) {
        log.push({ kind: 'packet', time: 0, party, direction: 'sent', version: 5, bytes: Uint8Array.of(first, 0), length: 2 });
      }
    };
    const rows = new WireRows(log, undefined);
    const shown = () => Array.from({ length: rows.length }, (_, index) => rows.at(index).number);
    return { log, one, other, push, rows, shown, all: new Set([one.number, other.number]) };
  }

  test('are those that the filter lets through', () => {
    const { log, one, other, push, rows, shown, all } = world();
    push(one, connect, publish, ping);
    push(other, publish);
    log.push({ kind: 'cut', time: 0, party: one });
    const see = (packets, parties = all) => {
      rows.update({ packets, parties });
      return shown();
    };
    assert.deepEqual(see('all'), [0, 1, 2, 3, 4]);
    assert.deepEqual(see('noPings'), [0, 1, 3, 4]);
    assert.deepEqual(see('messages'), [1, 3]);
    assert.deepEqual(see('connections'), [0, 2, 4]);
    assert.deepEqual(see('subscriptions'), []);
    assert.deepEqual(see('all', new Set([other.number])), [3]);
  });

  test('follow the log, and go where it forgets', () => {
    const { one, push, rows, shown, all } = world({ entries: 10 });
    const filter = { packets: 'messages', parties: all };
    for (let round = 0; round < 100; round += 1) {
      push(one, publish, ping);
      rows.update(filter);
    }
    assert.deepEqual(shown(), [190, 192, 194, 196, 198]);
    assert.equal(rows.gone, 95);
    assert.equal(rows.indexOf(194), 2);
    assert.equal(rows.indexOf(195), -1);
    assert.equal(rows.indexOf(4), -1);
    assert.equal(rows.at(5), undefined);
  });
});

describe('faults', () => {
  const puback = { direction: 'received', name: 'PUBACK' };

  test('happen to the next packets that are meant, and no more', () => {
    const faults = new Faults();
    faults.add('drop', 'received', 'PUBACK', 2);
    faults.add('duplicate', 'sent', 'any');
    assert.deepEqual(faults.judge({ direction: 'sent', name: 'PUBACK' }), { copies: 2, isCut: false });
    assert.deepEqual(faults.judge({ direction: 'received', name: 'PUBLISH' }), { copies: 1, isCut: false });
    assert.equal(faults.judge(puback).copies, 0);
    assert.equal(faults.areAny, true);
    assert.equal(faults.judge(puback).copies, 0);
    assert.equal(faults.judge(puback).copies, 1);
    assert.equal(faults.areAny, false);
  });

  test('can be taken back', () => {
    const faults = new Faults();
    const rule = faults.add('cut', 'received', 'PUBACK');
    faults.setDelay('sent', 1e9);
    assert.equal(faults.delay('sent'), LONGEST_DELAY);
    faults.remove(rule.number);
    assert.equal(faults.judge(puback).isCut, false);
    faults.setDelay('sent', -1);
    assert.equal(faults.areAny, false);
    faults.setDelay('sent', Number.NaN);
    assert.equal(faults.delay('sent'), 0);
  });

  test('are so many at most', () => {
    const faults = new Faults();
    while (faults.add('drop', 'sent', 'any')) assert.ok(faults.rules.value.length <= 50);
    assert.equal(faults.rules.value.length, 50);
  });
});

describe('a tapped connection', () => {
  test('logs both directions with the names of its client, and its end', async (t) => {
    const world = await open(t);
    const client = await world.client({ clientId: '' });
    await client.subscribe('a/+', { qos: 1 }, () => {});
    await client.publish('a/b', 'hello', { qos: 1, retain: true });
    await client.end();
    assert.equal(world.party.clientId.value, client.clientId);
    assert.notEqual(client.clientId, '');
    assert.deepEqual(world.lines().sort(), [
      '< CONNACK', '< PUBACK', '< PUBLISH', '< SUBACK', '> CONNECT', '> DISCONNECT', '> PUBACK', '> PUBLISH', '> SUBSCRIBE',
      'closedByClient', 'opened',
    ]);
    assert.equal(world.party.attempt.value, 1);
  });

  test('loses the packet that it should', async (t) => {
    const world = await open(t);
    const client = await world.client({ assignedTopicAliases: 0 }); // a lost packet may be the one that says what an alias stands for
    const heard = [];
    await client.subscribe('a', ({ payload }) => heard.push(new TextDecoder().decode(payload)));
    world.faults.add('drop', 'sent', 'PUBLISH');
    world.faults.add('duplicate', 'sent', 'PUBLISH');
    for (const text of ['lost', 'twice', 'once']) await client.publish('a', text);
    await until(() => heard.includes('once'));
    assert.deepEqual(heard, ['twice', 'twice', 'once']);
    assert.deepEqual(world.fates(), ['dropped', 'duplicated']);
  });

  test('delays packets and keeps their order', async (t) => {
    const world = await open(t);
    const client = await world.client({ keepAlive: 0 });
    const heard = [];
    await client.subscribe('a', ({ payload }) => heard.push(new TextDecoder().decode(payload)));
    world.faults.setDelay('sent', 1);
    await client.publish('a', 'first');
    world.faults.setDelay('sent', 0);
    await client.publish('a', 'second');
    await until(() => heard.length === 2);
    assert.deepEqual(heard, ['first', 'second']);
    assert.deepEqual(world.fates(), ['delayed']);

    world.faults.setDelay('sent', LONGEST_DELAY);
    await client.publish('a', 'never');
    world.faults.setDelay('sent', 0);
    await client.publish('a', 'behind it');
    await world.broker.publish('a', 'of another');
    await until(() => heard.length === 3);
    assert.equal(heard[2], 'of another');
  });

  test('logs what is no MQTT, and who ends it for that', async (t) => {
    const world = await open(t);
    const transport = world.transport();
    await transport.opened;
    const ended = new Promise((resolve) => (transport.onclose = resolve));
    for (const part of [[0x30, 0xff, 0xff], [0xff, 0xff], [1, 2, 3]]) transport.send(Uint8Array.from(part));
    await ended;
    assert.deepEqual(world.lines(), ['opened', 'garbage', 'closedByServer']);
  });

  test('is cut in the place of a packet, which the client sends again', async (t) => {
    const world = await open(t);
    const client = await world.client({ reconnect: { minimumDelayMillis: 10 } });
    world.faults.add('cut', 'sent', 'PUBLISH');
    await client.publish('a', 'hello', { qos: 1 });
    const lines = world.lines();
    assert.deepEqual(lines.slice(lines.indexOf('> PUBLISH cut')), [
      '> PUBLISH cut', 'cut', 'opened', '> CONNECT', '< CONNACK', '> PUBLISH', '< PUBACK',
    ]);
    assert.equal(world.party.attempt.value, 2);
    assert.equal(world.faults.cut(), true);
  });

  test('lets nothing follow a cut that waits behind what is delayed', async (t) => {
    const world = await open(t);
    const transport = world.transport();
    await transport.opened;
    const publish = [0x30, 3, 0, 1, 0x61];
    world.faults.setDelay('sent', LONGEST_DELAY);
    transport.send(Uint8Array.from([...CONNECT, ...publish]));
    world.faults.add('cut', 'sent', 'PUBLISH');
    transport.send(Uint8Array.from([...publish, ...publish]));
    world.faults.add('drop', 'sent', 'PUBLISH');
    transport.send(Uint8Array.from(publish));
    assert.deepEqual(world.lines(), ['opened', '> CONNECT delayed', '> PUBLISH delayed', '> PUBLISH cut']);
    assert.deepEqual(world.faults.rules.value.map(({ action }) => action), ['drop']);
    world.faults.cut();
    assert.equal(world.lines().at(-1), 'cut');
  });

  test('knows which packets belong together, also over a cut', async (t) => {
    const world = await open(t);
    const client = await world.client({ reconnect: { minimumDelayMillis: 10 } });
    await client.subscribe('a', { qos: 1 }, () => {});
    world.faults.add('drop', 'received', 'PUBCOMP');
    const published = client.publish('a', 'first', { qos: 2 });
    await until(() => world.fates().includes('dropped'));
    world.faults.cut();
    await published;
    await client.publish('a', 'second', { qos: 2 });
    const sent = world.packets().filter(({ bytes, direction }) => direction === 'sent' && bytes[0] >> 4 === 3);
    const of = (packet) => [...exchangeOf(packet, world.log)].sort((one, other) => one - other)
      .map((number) => world.log.numbered(number))
      .map(({ bytes, direction }) => `${direction} ${summarise(bytes, 5).name}`);
    const whole = ['sent PUBLISH', 'received PUBREC', 'sent PUBREL', 'received PUBCOMP'];
    assert.deepEqual(of(sent[0]), [...whole, ...whole.slice(2)]);
    assert.deepEqual(of(sent[1]), whole);
    const last = world.packets().findLast(({ bytes }) => bytes[0] >> 4 === 7);
    assert.deepEqual(of(last), whole);
    const received = world.packets().find(({ bytes, direction }) => direction === 'received' && bytes[0] >> 4 === 3);
    assert.deepEqual(of(received), ['received PUBLISH', 'sent PUBACK']);
  });

  test('of a client of MQTT 3.1.1 is read as such', async (t) => {
    const world = await open(t);
    await world.client({ protocolVersion: 4 });
    assert.deepEqual([...new Set(world.packets().map(({ version }) => version))], [4]);
  });

  test('finds the topic of a Topic Alias', async (t) => {
    const world = await open(t, { topicAliasMaximum: 10 });
    const client = await world.client({ assignedTopicAliases: 5 });
    for (let count = 0; count < 3; count += 1) await client.publish('a/long/topic', String(count), { qos: 1 });
    const published = world.packets().filter(({ bytes }) => bytes[0] >> 4 === 3);
    const named = published.map(({ bytes, topic }) => topic ?? summarise(bytes, 5).subject);
    assert.deepEqual(named, ['a/long/topic', 'a/long/topic', 'a/long/topic']);
  });

  test('that does not open says so', async (t) => {
    const world = await open(t);
    await world.broker.close();
    await assert.rejects(world.client());
    assert.deepEqual(world.lines(), ['failed']);
  });
});

/** Of MQTT 5, with an empty Client Identifier. */
const CONNECT = [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 0];

async function open(t, options = {}) {
  const broker = await Broker.open(options);
  const log = new WireLog();
  const party = log.join('tab');
  const faults = new Faults();
  const clients = [];
  t.after(async () => {
    faults.clear();
    for (const client of clients) await client.end().catch(() => {});
    await broker.close();
  });
  const entries = () => Array.from({ length: log.next }, (_, number) => log.numbered(number));
  return {
    broker, party, faults, log,
    async client(more = {}) {
      const client = await connect(() => tapped(broker.webSocket(), { log, party, faults }), { clientId: 'c', reconnect: false, ...more });
      clients.push(client);
      return client;
    },
    transport: () => tapped(broker.webSocket(), { log, party, faults }),
    packets: () => entries().filter(({ kind }) => kind === 'packet'),
    lines: () => entries().map((entry) => {
      if (entry.kind !== 'packet') return entry.kind;
      return [entry.direction === 'sent' ? '>' : '<', summarise(entry.bytes, entry.version).name, entry.fate?.kind].filter(Boolean).join(' ');
    }),
    fates: () => entries().flatMap(({ fate }) => (fate ? [fate.kind] : [])),
  };
}

async function until(isSo) {
  for (let round = 0; !isSo(); round += 1) {
    assert.ok(round < 1_000, 'it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
