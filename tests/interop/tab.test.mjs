// MQTT.js, as it is, against the broker in a tab of Chromium.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { launch } from './browser.mjs';
import { serve } from './origin.mjs';
import { scenarios } from './scenarios.mjs';

describe('the broker in a tab', () => {
  let origin, browser, page;

  before(async () => {
    origin = await serve(['page', 'worker']);
    browser = await launch();
    page = await browser.newPage();
    await page.goto(origin.url);
    await page.waitForFunction('globalThis.names');
  });

  after(async () => {
    await browser?.close();
    origin?.close();
  });

  for (const [number, { name }] of scenarios.entries()) {
    test(name, async () => {
      assert.equal(await page.evaluate((index) => globalThis.names[index], number), name);
      await page.evaluate((index) => globalThis.runScenario(index), number);
    });
  }

  test('a server that speaks text is left at once, over the WebSocket of the browser [MQTT-6.0.0-1]', async () => {
    const texting = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    texting.on('connection', (socket) => socket.send('hello'));
    await once(texting, 'listening');
    const url = `ws://127.0.0.1:${texting.address().port}`;
    try {
      assert.deepEqual(await page.evaluate((address) => globalThis.connectTo(address), url), ['closed', 1005]);
    } finally {
      texting.close();
    }
  });

  test('a server that is not there is unreachable at once', async () => {
    assert.equal((await page.evaluate(() => globalThis.connectTo('ws://127.0.0.1:1')))[0], 'unreachable');
  });

  test('a broker in a Web Worker serves clients in the page over MessagePorts', async () => {
    const text = 'x'.repeat(100_000);
    assert.equal(await page.evaluate((sent) => globalThis.crossWorker(sent), text), text);
  });
});
