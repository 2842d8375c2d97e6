import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';

let workerd;
before(async () => (workerd = await start()));
after(() => workerd.stop());

/** Asks for `path` as a browser that opens a WebSocket does; the answer is a status, the subprotocol and a text. */
async function upgrade(path, { Upgrade = 'websocket', protocol = 'mqtt' } = {}) {
  const headers = {
    Connection: 'Upgrade',
    ...(Upgrade && { Upgrade }),
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocol && { 'Sec-WebSocket-Protocol': protocol }),
  };
  const request = get({ host: '127.0.0.1', port: workerd.port, path, headers });
  const response = await Promise.race([once(request, 'response'), once(request, 'upgrade')]).then(([it]) => it);
  const answer = { status: response.statusCode, protocol: response.headers['sec-websocket-protocol'] };
  if (answer.status === 101) response.socket.destroy();
  else answer.text = (await response.toArray()).join('');
  return answer;
}

test('A WebSocket with the subprotocol mqtt opens, in the default room and in any other', async () => {
  for (const path of ['/mqtt', '/mqtt/kitchen', '/mqtt/A-1_b.c', `/mqtt/${'r'.repeat(64)}`]) {
    assert.deepEqual(await upgrade(path), { status: 101, protocol: 'mqtt' }, path);
  }
});

test('mqtt is chosen from a list of subprotocols', async () => {
  assert.deepEqual(await upgrade('/mqtt', { protocol: 'chat, mqtt ,other' }), { status: 101, protocol: 'mqtt' });
});

test('A WebSocket without the subprotocol mqtt is refused in words', async () => {
  for (const protocol of [undefined, 'mqttv3.1', 'MQTT', 'chat,mqtt5']) {
    const { status, text } = await upgrade('/mqtt', { protocol: protocol ?? '' });
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
    const { status, text } = await upgrade(`/mqtt/${room}`);
    assert.equal(status, 400, room);
    assert.match(text, /room name/);
  }
});

test('Other paths are not found', async () => {
  for (const path of ['/nothing', '/mqtt/a/b', '/mqttx', '/a/mqtt']) {
    const { status, text } = await upgrade(path);
    assert.equal(status, 404, path);
    assert.match(text, /\/mqtt/);
  }
});
