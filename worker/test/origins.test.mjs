// Which pages may open a WebSocket.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../local.mjs';
import { upgrade } from './upgrade.mjs';

const rooms = {
  some: { origins: ['https://app.example', 'https://Other.example:443/'] },
  none: { origins: [] },
  all: { origins: ['*'] },
};

let workerd;
before(async () => (workerd = await start({ settings: { rooms } })));
after(() => workerd.stop());

/** The status with which an upgrade for `room` is answered; `Origin` may be several. */
async function statusOf(room, Origin, more = {}) {
  return (await upgrade(workerd, `/mqtt/${room}`, { Origin, ...more })).status;
}

test('A client that is no page may connect from anywhere', async () => {
  for (const room of ['default', 'some', 'none', 'all']) assert.equal(await statusOf(room), 101, room);
});

test('A page of the same host may connect where nothing else is said', async () => {
  assert.equal(await statusOf('default', `http://127.0.0.1:${workerd.port}`), 101);
  assert.equal(await statusOf('default', `https://127.0.0.1:${workerd.port}`), 101, 'TLS may end before the Worker');
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
  for (const origin of others) assert.equal(await statusOf('default', origin), 403, String(origin));
});

test('A page cannot say itself what the host is', async () => {
  assert.equal(await statusOf('default', 'https://evil.example', { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' }), 403);
});

test('A list of origins is the whole list', async () => {
  assert.equal(await statusOf('some', 'https://app.example'), 101);
  assert.equal(await statusOf('some', 'https://other.example'), 101);
  for (const origin of ['http://app.example', 'https://app.example:8443', 'https://app.example.evil.example', 'https://app.exampl',
    'https://sub.app.example', `http://127.0.0.1:${workerd.port}`, 'null', '*']) {
    assert.equal(await statusOf('some', origin), 403, origin);
  }
  assert.equal(await statusOf('none', `http://127.0.0.1:${workerd.port}`), 403);
});

test('All origins may be allowed', async () => {
  for (const origin of ['https://anything.example', 'null']) assert.equal(await statusOf('all', origin), 101, origin);
});
