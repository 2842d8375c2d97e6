// What an operator reads.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { start } from '../local.mjs';
import { open, packet, text } from './raw-client.mjs';

const anonymous = { anonymous: true, anonymousGrants: [{ filter: 'open/#' }] };
const rooms = { silent: { log: { level: 'error' } }, short: { limits: { maximumQueuedMessages: 1 } } };

const lines = [];
let workerd;
before(async () => {
  workerd = await start({ settings: { authentication: anonymous, log: { level: 'info' }, rooms }, log: (line) => lines.push(line) });
});
after(() => workerd.stop());

const url = (room) => `ws://127.0.0.1:${workerd.port}/mqtt/${room}`;
const connect = (room, options) => mqtt.connectAsync(url(room), { protocolVersion: 5, reconnectPeriod: 0, ...options });

/** The lines of a room, as objects. All of them are JSON. */
const of = (room) => lines.map((line) => JSON.parse(line)).filter((line) => line.room === room);

/** Resolves with the first line of a room that has this event. */
async function logged(room, event) {
  for (;;) {
    const line = of(room).find((line) => line.event === event);
    if (line) return line;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('Who comes and goes is logged, and what is refused with its Reason Code', async () => {
  const client = await connect('harbour', { clientId: 'ada' });
  await assert.rejects(client.publishAsync('closed', 'the payload', { qos: 1 }));
  await client.endAsync();
  await logged('harbour', 'disconnected');
  await assert.rejects(connect('harbour', { username: 'ada', password: 'the password' }));
  await logged('harbour', 'refused');
  const told = of('harbour').map(({ message, ...line }) => [line, typeof message]);
  assert.deepEqual(told, [
    [{ level: 'info', event: 'connected', room: 'harbour', clientId: 'ada', version: 5, sessionPresent: false }, 'undefined'],
    [{ level: 'warn', event: 'publishRefused', room: 'harbour', clientId: 'ada', topic: 'closed', reason: '0x87' }, 'undefined'],
    [{ level: 'info', event: 'disconnected', room: 'harbour', clientId: 'ada', reason: '0x00' }, 'string'],
    [{ level: 'warn', event: 'refused', room: 'harbour', reason: '0x86' }, 'string'],
  ]);
  for (const secret of ['the payload', 'the password']) assert.ok(!lines.some((line) => line.includes(secret)), secret);
});

test('A room may be told to say less', async () => {
  const client = await connect('silent', { clientId: 'ada' });
  await assert.rejects(client.publishAsync('closed', 'x', { qos: 1 }));
  await client.endAsync();
  await assert.rejects(connect('silent', { username: 'ada', password: 'x' }));
  assert.deepEqual(of('silent'), []);
});

test('What a client says is cut, and is nothing but text in its line', async () => {
  const client = await connect('rude', { clientId: 'a"b\nc' });
  await assert.rejects(client.publishAsync(`x/${'y'.repeat(10_000)}`, '', { qos: 1 }));
  await client.endAsync();
  const { clientId, topic } = await logged('rude', 'publishRefused');
  assert.deepEqual([clientId, topic.length], ['a"b\nc', 259]);
});

test('A flood of refusals does not flood the log', { timeout: 60_000 }, async () => {
  const client = await open(url('flood'));
  client.send(packet('10', `${text('MQTT')}0502000000${text('flood')}`));
  await client.packet();
  const refused = packet('30', `${text('closed')}00`);
  for (let turn = 0; turn < 20; turn += 1) client.send(refused.repeat(100));
  for (;;) {
    client.send(packet('30', `${text('last')}00`));
    if (of('flood').some(({ event }) => event === 'suppressed')) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { count } = await logged('flood', 'suppressed');
  assert.ok(count > 0);
  const told = of('flood').length;
  assert.ok(told < 1_000, `${told} lines of more than 2,000 refusals`);
  await client.close();
});
