// The ready-made experiments, run against a broker in this process.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Broker, connect } from 'mqlite/broker';
import { Experiment } from '../src/model/experiments.ts';
import { summarise } from '../src/model/packet-summary.ts';
import { WireLog } from '../src/model/wire-log.ts';

describe('an experiment', () => {
  let broker;

  before(async () => {
    broker = await Broker.open();
  });

  after(() => broker.close());

  test('QoS 1: a message whose PUBACK is lost comes again', async () => {
    const { experiment, lines } = await run('pubackLost');
    assert.deepEqual(experiment.outcome.value, { copies: 2, messages: 1, mostInFlight: 1 });
    const names = experiment.steps.value.map(({ name }) => name);
    assert.deepEqual(names, ['subscribed', 'published', 'lost', 'delivered', 'cut', 'publishAgain', 'acknowledged']);
    assert.deepEqual(lines('experiment-publisher'), [
      'opened', '> CONNECT', '< CONNACK', '> PUBLISH 1', '< PUBACK 1 dropped', 'cut',
      'opened', '> CONNECT', '< CONNACK', '> PUBLISH 1 dup', '< PUBACK 1', '> PUBLISH', '> DISCONNECT', 'closedByClient',
    ]);
  });

  test('QoS 2: a message whose PUBREC is lost is not doubled', async () => {
    const { experiment, lines } = await run('pubrecLost');
    assert.deepEqual(experiment.outcome.value, { copies: 1, messages: 1, mostInFlight: 1 });
    assert.deepEqual(lines('experiment-publisher').slice(3, -3), [
      '> PUBLISH 1', '< PUBREC 1 dropped', 'cut',
      'opened', '> CONNECT', '< CONNACK', '> PUBLISH 1 dup', '< PUBREC 1', '> PUBREL 1', '< PUBCOMP 1',
    ]);
  });

  test('QoS 2: a message whose PUBCOMP is lost is not doubled', async () => {
    const { experiment, lines } = await run('pubcompLost');
    assert.deepEqual(experiment.outcome.value, { copies: 1, messages: 1, mostInFlight: 1 });
    assert.deepEqual(lines('experiment-publisher').slice(3, -3), [
      '> PUBLISH 1', '< PUBREC 1', '> PUBREL 1', '< PUBCOMP 1 dropped', 'cut',
      'opened', '> CONNECT', '< CONNACK', '> PUBREL 1', '< PUBCOMP 1',
    ]);
  });

  test('Receive Maximum 1: messages come one at a time', async () => {
    const { experiment } = await run('receiveMaximum');
    assert.deepEqual(experiment.outcome.value, { copies: 4, messages: 4, mostInFlight: 1 });
  });

  test('leaves a client alone that is called as its roles are', async () => {
    const readers = await Promise.all(['publisher', 'subscriber'].map((clientId) => broker.connect({ clientId, reconnect: false })));
    await run('pubackLost');
    assert.deepEqual(readers.map(({ status }) => status), ['connected', 'connected']);
    await Promise.all(readers.map((reader) => reader.end()));
  });

  test('that is stopped ends its clients', async () => {
    const log = new WireLog();
    const experiment = new Experiment('pubackLost', laboratory(log));
    const running = experiment.run();
    experiment.leave();
    await running;
    assert.equal(experiment.status.value, 'failed');
    assert.match(experiment.error.message, /stopped/);
    assert.deepEqual(log.parties.value, []);
    // In a busy program the broker hears of it a turn later.
    while (broker.statistics().clientsConnected > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  async function run(name) {
    const log = new WireLog();
    const experiment = new Experiment(name, laboratory(log));
    await experiment.run();
    assert.equal(experiment.status.value, 'done', String(experiment.error));
    for (const { name: step, entry } of experiment.steps.value) assert.ok(step === 'slow' || log.numbered(entry), step);
    const lines = (clientId) => Array.from({ length: log.next }, (_, number) => log.numbered(number))
      .filter(({ party }) => party.clientId.value === clientId)
      .map(lineOf);
    return { experiment, lines };
  }

  function laboratory(log) {
    return { log, connect, socket: () => broker.webSocket() };
  }
});

function lineOf(entry) {
  if (entry.kind !== 'packet') return entry.kind;
  const { name, packetIdentifier, dup } = summarise(entry.bytes, entry.version);
  const parts = [entry.direction === 'sent' ? '>' : '<', name, packetIdentifier, dup && 'dup', entry.fate?.kind];
  return parts.filter((part) => part !== undefined && part !== false).join(' ');
}
