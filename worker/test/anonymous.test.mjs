import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import mqtt from 'mqtt';
import { start } from '../local.mjs';

const rooms = { open: { authentication: { anonymous: true } }, 'half*': { authentication: { anonymous: true, anonymousGrants: [] } } };

let workerd;
before(async () => (workerd = await start({ settings: { authentication: {}, rooms } })));
after(() => workerd.stop());

const connect = (room, options) =>
  mqtt.connectAsync(`ws://127.0.0.1:${workerd.port}/mqtt/${room}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });

test('Nobody is let in where it is not said who', async () => {
  await assert.rejects(connect('kitchen'), { code: 0x87 });
  await assert.rejects(connect('kitchen', { username: 'ada', password: 'lovelace' }), { code: 0x86 });
});

test('A room may have settings of its own: by its name', async () => {
  const client = await connect('open');
  await client.publishAsync('a', 'b', { qos: 1 });
  await client.endAsync();
});

test('A room may have settings of its own: by the beginning of its name', async () => {
  const client = await connect('half-open');
  await assert.rejects(client.publishAsync('a', 'b', { qos: 1 }), { code: 0x87 });
  await client.endAsync();
});

test('Whoever brings a name and a password is not anonymous', async () => {
  await assert.rejects(connect('open', { username: 'ada', password: 'lovelace' }), { code: 0x86 });
});
