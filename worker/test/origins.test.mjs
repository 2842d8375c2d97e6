// Which pages may open a WebSocket.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';

const rooms = {
  some: { origins: ['https://app.example', 'https://Other.example:443/'] },
  none: { origins: [] },
  all: { origins: ['*'] },
};

let workerd;
before(async () => (workerd = await start({ settings: { rooms } })));
after(() => workerd.stop());

/** The status with which an upgrade for `room` is answered; `Origin` may be several. */
async function upgrade(room, Origin, more = {}) {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...(Origin !== undefined && { Origin }),
    ...more,
  };
  const request = get({ host: '127.0.0.1', port: workerd.port, path: `/mqtt/${room}`, headers });
  const [response] = await Promise.race([once(request, 'response'), once(request, 'upgrade')]);
  response.socket.destroy();
  return response.statusCode;
}

test('A client that is no page may connect from anywhere', async () => {
  for (const room of ['default', 'some', 'none', 'all']) assert.equal(await upgrade(room), 101, room);
});

test('A page of the same host may connect where nothing else is said', async () => {
  assert.equal(await upgrade('default', `http://127.0.0.1:${workerd.port}`), 101);
  assert.equal(await upgrade('default', `https://127.0.0.1:${workerd.port}`), 101, 'TLS may end before the Worker');
});

test('A page of another host may not', async () => {
  const { port } = workerd;
  const others = [
    'https://evil.example',
    'http://127.0.0.1',
    `http://127.0.0.1:${port + 1}`,
    `http://127.0.0.1:${port}.evil.example`,
    `http://evil.example#127.0.0.1:${port}`,
    `http://evil.example/127.0.0.1:${port}`,
    `http://127.0.0.1:${port}@evil.example`,
    `http://evil@127.0.0.1:${port}`,
    `http://127.0.0.1:${port}/`,
    `file://127.0.0.1:${port}`,
    `chrome-extension://127.0.0.1:${port}`,
    '127.0.0.1',
    `//127.0.0.1:${port}`,
    'null',
    [`http://127.0.0.1:${port}`, 'https://evil.example'],
  ];
  for (const origin of others) assert.equal(await upgrade('default', origin), 403, String(origin));
});

test('A page cannot say itself what the host is', async () => {
  assert.equal(await upgrade('default', 'https://evil.example', { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' }), 403);
});

test('A list of origins is the whole list', async () => {
  assert.equal(await upgrade('some', 'https://app.example'), 101);
  assert.equal(await upgrade('some', 'https://other.example'), 101);
  for (const origin of ['http://app.example', 'https://app.example:8443', 'https://app.example.evil.example', 'https://app.exampl',
    'https://sub.app.example', `http://127.0.0.1:${workerd.port}`, 'null', '*']) {
    assert.equal(await upgrade('some', origin), 403, origin);
  }
  assert.equal(await upgrade('none', `http://127.0.0.1:${workerd.port}`), 403);
});

test('All origins may be allowed', async () => {
  for (const origin of ['https://anything.example', 'null']) assert.equal(await upgrade('all', origin), 101, origin);
});
