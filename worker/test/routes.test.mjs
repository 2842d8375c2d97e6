import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';
import { upgrade } from './upgrade.mjs';

let workerd;
before(async () => (workerd = await start()));
after(() => workerd.stop());

test('A WebSocket with the subprotocol mqtt opens, in the default room and in any other', async () => {
  for (const path of ['/mqtt', '/mqtt/kitchen', '/mqtt/A-1_b.c', `/mqtt/${'r'.repeat(64)}`]) {
    assert.deepEqual(await upgrade(workerd, path), { status: 101, protocol: 'mqtt' }, path);
  }
});

test('mqtt is chosen from a list of subprotocols', async () => {
  assert.deepEqual(await upgrade(workerd, '/mqtt', { 'Sec-WebSocket-Protocol': 'chat, mqtt ,other' }), { status: 101, protocol: 'mqtt' });
});

test('A WebSocket without the subprotocol mqtt is refused in words', async () => {
  for (const protocol of [undefined, 'mqttv3.1', 'MQTT', 'chat,mqtt5']) {
    const { status, text } = await upgrade(workerd, '/mqtt', { 'Sec-WebSocket-Protocol': protocol });
    assert.equal(status, 400, protocol);
    assert.match(text, /subprotocol must be mqtt/);
  }
});

test('A request that opens no WebSocket is told to upgrade', async () => {
  const response = await fetch(`http://127.0.0.1:${workerd.port}/mqtt`);
  assert.equal(response.status, 426);
  assert.match(await response.text(), /WebSocket/);
});

test('A room name that is empty, too long or holds other characters is refused in words', async () => {
  for (const room of ['', 'r'.repeat(65), 'a%20b', 'caf%C3%A9', 'a+b']) {
    const { status, text } = await upgrade(workerd, `/mqtt/${room}`);
    assert.equal(status, 400, room);
    assert.match(text, /room name/);
  }
});

test('Other paths are not found', async () => {
  for (const path of ['/nothing', '/mqtt/a/b', '/mqttx', '/a/mqtt']) {
    const { status, text } = await upgrade(workerd, path);
    assert.equal(status, 404, path);
    assert.match(text, /\/mqtt/);
  }
});
