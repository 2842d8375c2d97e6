// MQTT.js, as it is, against the broker in a tab of Chromium.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { WebSocketServer } from 'ws';
import { launch } from './browser.mjs';
import { scenarios } from './scenarios.mjs';

const inFolder = (path) => fileURLToPath(new URL(path, import.meta.url));

describe('the broker in a tab', () => {
  let server, browser, page;

  before(async () => {
    const { outputFiles } = await build({
      entryPoints: { page: inFolder('tab/page.mjs'), worker: inFolder('tab/worker.mjs') },
      alias: { mqlite: inFolder('../../js/dist/index.js') },
      bundle: true,
      format: 'esm',
      write: false,
      outdir: '/',
    });
    const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
    server = createServer(({ url }, response) => {
      const script = files.get(url);
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
      response.end(script ?? '<!doctype html><title>tab</title><script type="module" src="page.js"></script>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    browser = await launch();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction('globalThis.names');
  });

  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
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
