// The lessons of the tour, done with a broker in this process, and what is remembered of its reader.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { InTabBroker } from '../src/model/in-tab-broker.ts';
import { summarise } from '../src/model/packet-summary.ts';
import { memoryStore } from '../src/model/store.ts';
import { LESSONS, TourProgress } from '../src/model/tour-progress.ts';
import { TourRun } from '../src/model/tour-run.ts';
import { WireLog } from '../src/model/wire-log.ts';

describe('a lesson of the tour', () => {
  let wire, broker;

  beforeEach(async () => {
    wire = new WireLog();
    broker = new InTabBroker(wire);
    await broker.open();
  });

  afterEach(async () => {
    await broker.sensors.stop();
    broker.kill();
  });

  /** Runs it: what came out, what each client got, and what passed between each and the broker. */
  async function run(name) {
    const lesson = new TourRun(name, broker, wire, 0);
    await lesson.run();
    assert.equal(lesson.status.value, 'done', String(lesson.error));
    assert.equal(broker.running.clients().items.filter(({ clientId }) => clientId.startsWith('tour-')).length, 0);
    const got = (role) =>
      lesson.messages.value.filter(({ to }) => to === role).map(({ message }) => `${message.topic} ${message.text()}${message.retain ? ' retained' : ''}`);
    const lines = (client) =>
      lesson.entries().filter(({ party }) => party.clientId.value === client).map((entry) => {
        if (entry.kind !== 'packet') return entry.kind;
        const { name, dup, retain } = summarise(entry.bytes, entry.version);
        return [entry.direction === 'sent' ? '>' : '<', name, dup && 'dup', retain && 'retain', entry.fate?.kind].filter(Boolean).join(' ');
      });
    const { facts } = lesson;
    lesson.leave();
    return { facts, got, lines };
  }

  test('client: one connects, and says goodbye', async () => {
    const { facts, lines } = await run('client');
    assert.deepEqual(facts, { clients: 1 });
    assert.deepEqual(lines('tour-phone'), ['opened', '> CONNECT', '< CONNACK', '> DISCONNECT', 'closedByClient']);
  });

  test('topic: only those who subscribe to it get the message', async () => {
    const { facts, got } = await run('topic');
    assert.deepEqual(facts, { sent: 3, received: 2 });
    assert.deepEqual(got('lamp'), ['tour/kitchen/lamp on', 'tour/kitchen/lamp off']);
  });

  test('wildcard: one level, and all that follow', async () => {
    const { facts, got } = await run('wildcard');
    assert.ok(facts.dashboard >= 3 && facts.archive >= 3);
    assert.ok(got('dashboard').every((line) => /^sensor\/\d+\/temperature /.test(line)));
    assert.ok(got('archive').every((line) => line.startsWith('sensor/10/')));
  });

  test('QoS 0: what is lost stays lost', async () => {
    const { facts, got, lines } = await run('qos0');
    assert.deepEqual(facts, { sent: 3, received: 2 });
    assert.deepEqual(got('phone'), ['tour/reading one', 'tour/reading three']);
    assert.ok(lines('tour-sensor').includes('> PUBLISH dropped'));
  });

  test('QoS 1: a lost acknowledgement doubles the message', async () => {
    const { facts, lines } = await run('qos1');
    assert.deepEqual(facts, { copies: 2 });
    assert.deepEqual(lines('tour-sensor').slice(3, 11), [
      '> PUBLISH', '< PUBACK cut', 'cut', 'opened', '> CONNECT', '< CONNACK', '> PUBLISH dup', '< PUBACK',
    ]);
  });

  test('QoS 2: a lost acknowledgement does not', async () => {
    const { facts, lines } = await run('qos2');
    assert.deepEqual(facts, { copies: 1 });
    assert.deepEqual(lines('tour-sensor').slice(3, 13), [
      '> PUBLISH', '< PUBREC cut', 'cut', 'opened', '> CONNECT', '< CONNACK', '> PUBLISH dup', '< PUBREC', '> PUBREL', '< PUBCOMP',
    ]);
  });

  test('retained: it is there for those who come later, until it is emptied', async () => {
    const { facts, got } = await run('retained');
    assert.deepEqual(facts, { kept: 1, left: 0 });
    assert.deepEqual(got('phone'), ['tour/door open retained', 'tour/door ']);
  });

  test('will: the broker publishes it for the one that is gone', async () => {
    const { got, lines } = await run('will');
    assert.deepEqual(got('phone'), ['tour/heater/status online', 'tour/heater/status offline']);
    assert.equal(lines('tour-heater').at(-1), 'cut');
  });

  test('session: what came meanwhile waits', async () => {
    const { facts, got } = await run('session');
    assert.deepEqual(facts, { queued: 2, received: 2 });
    assert.deepEqual(got('phone'), ['tour/alarm smoke', 'tour/alarm fire']);
  });

  test('fails when it is left, or when there is no broker', async () => {
    const left = new TourRun('qos1', broker, wire, 0);
    const running = left.run();
    left.leave();
    await running;
    assert.equal(left.status.value, 'failed');
    broker.kill();
    const lost = new TourRun('client', broker, wire, 0);
    await lost.run();
    assert.equal(lost.error.code, 'unreachable');
  });
});

describe('where the reader of the tour stands', () => {
  test('is remembered', () => {
    const store = memoryStore();
    const progress = new TourProgress(store);
    assert.deepEqual([progress.place.value, progress.hasBegun, progress.isDismissed.value], ['client', false, false]);
    progress.finish('client');
    progress.goTo('topic');
    const later = new TourProgress(store);
    assert.deepEqual([later.place.value, later.hasBegun, later.isDismissed.value], ['topic', true, false]);
    assert.deepEqual([...later.done.value], ['client']);
    later.goTo('end');
    assert.equal(new TourProgress(store).isDismissed.value, true);
  });

  test('begins anew where what was kept makes no sense', () => {
    const store = memoryStore();
    store.setItem('mqlite.tour', JSON.stringify({ place: 'elsewhere', done: ['x', 'will', 3], isDismissed: 'yes' }));
    const progress = new TourProgress(store);
    assert.deepEqual([progress.place.value, [...progress.done.value], progress.isDismissed.value], ['client', ['will'], false]);
    store.setItem('mqlite.tour', '7');
    assert.equal(new TourProgress(store).hasBegun, false);
    assert.equal(LESSONS.length, 9);
  });
});
