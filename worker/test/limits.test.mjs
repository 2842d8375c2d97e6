import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';
import { open, packet, text } from './raw-client.mjs';

let workerd;
before(async () => (workerd = await start({ settings: { limits: { maximumPacketSize: 1000 } } })));
after(() => workerd.stop());

test('The limits of wrangler.jsonc are those of the broker', async () => {
  const client = await open(`ws://127.0.0.1:${workerd.port}/mqtt`);
  client.send(packet('10', `${text('MQTT')}0502000000${text('raw')}`));
  assert.match(await client.packet(), /^20..0000.*27000003e8/); // Maximum Packet Size in CONNACK
  await client.close();
});
