import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from 'mqlite/broker';
import { RawTransport } from './support.mjs';

const SESSIONS = 10_000;

test('A broker restores 10,000 sessions with 2 subscriptions each and 10,000 retained messages', async (context) => {
  const source = await Broker.open();
  for (let number = 0; number < SESSIONS; number += 1) {
    const transport = new RawTransport();
    source.accept(transport);
    transport.say(packet('10', `${text('MQTT')}0502000005 11ffffffff${text(`client-${number}`)}`));
    transport.say(packet('82', `000100${text(`home/${number}/+`)}01${text(`all/${number % 100}/#`)}01`));
    transport.say(packet('31', `${text(`state/${number}`)}00${'78'.repeat(64)}`));
    transport.onclose();
  }
  const file = await source.export();
  await source.close();

  const records = [];
  const storage = { load: () => records, commit: (changes) => records.push(...changes.filter(({ value }) => value)) };
  const copy = await Broker.open({ storage });
  await copy.import(file);
  await copy.close();
  for (const run of ['first', 'second', 'third']) {
    const began = performance.now();
    const broker = await Broker.open({ storage });
    const took = performance.now() - began;
    context.diagnostic(`${run} time: ${records.length} records in ${took.toFixed(0)} ms`);
    const { sessions, subscriptions, retainedMessages } = broker.statistics();
    assert.deepEqual([sessions, subscriptions, retainedMessages], [SESSIONS, 2 * SESSIONS, SESSIONS]);
    await broker.close();
  }
});

const packet = (type, rest) => {
  const hex = rest.replaceAll(' ', '');
  return type + (hex.length / 2).toString(16).padStart(2, '0') + hex;
};

const text = (value) => value.length.toString(16).padStart(4, '0') + Buffer.from(value).toString('hex');
