// The client in Chromium: its outbox in IndexedDB over reloads, and what it says when there is no connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { launch } from './browser.mjs';
import { serve } from './origin.mjs';
import { startBroker } from './peers.mjs';

describe('a client in a tab', () => {
  let origin, browser, peer, url;

  before(async () => {
    origin = await serve(['client', 'worker']);
    browser = await launch();
    peer = await startBroker();
    url = `ws://127.0.0.1:${peer.port}`;
  });

  after(async () => {
    await browser?.close();
    await peer?.stop();
    origin?.close();
  });

  const load = async (page) => {
    await page.goto(origin.url);
    await page.waitForFunction('globalThis.isReady');
  };

  for (const qos of [1, 2]) {
    test(`what it published at QoS ${qos}, offline and online, arrives over reloads`, async () => {
      const heard = [];
      const listener = await peer.broker.connect();
      await listener.subscribe('a', { qos: 2 }, (message) => heard.push(message.text()));
      const page = await browser.newPage();
      await load(page);
      const database = `outbox-${qos}`;
      const texts = (round) => Array.from({ length: 50 }, (_, at) => `${round}.${at}`);
      assert.equal(await page.evaluate(([url, name]) => open(url, name), ['ws://127.0.0.1:1', database]), 'done');
      await page.evaluate(([texts, qos]) => publish(texts, qos), [texts(0), qos]);
      await page.waitForFunction('durable >= 50');
      await load(page);
      for (let round = 1; round <= 3; round += 1) {
        assert.equal(await page.evaluate(([url, name]) => open(url, name), [url, database]), 'done');
        await page.evaluate(([texts, qos]) => publish(texts, qos), [texts(round), qos]);
        await page.waitForFunction('durable >= 50');
        await load(page);
      }
      assert.equal(await page.evaluate(([url, name]) => open(url, name), [url, database]), 'done');
      const sent = [0, 1, 2, 3].flatMap(texts);
      while (new Set(heard).size < sent.length) await new Promise((resolve) => setTimeout(resolve, 10));
      await page.evaluate(() => client.publish('a', 'last', { qos: 2 }));
      while (!heard.includes('last')) await new Promise((resolve) => setTimeout(resolve, 10));
      if (qos === 2) assert.deepEqual(heard, [...sent, 'last'], 'once, and in order');
      else assert.deepEqual([...new Set(heard)].sort(), [...sent, 'last'].sort());
      await page.evaluate(() => client.end());
      await page.close();
      await listener.end();
    });
  }

  const attempt = async (address, policy) => {
    const page = await browser.newPage();
    await load(page);
    const told = await page.evaluate(([address, policy]) => attempt(address, policy), [address, policy]);
    await page.close();
    return told;
  };

  test('says what to look at when there is no connection', async () => {
    for (const address of ['ws://127.0.0.1:1', 'ws://127.0.0.1:1/mqtt']) {
      const { code, hint } = await attempt(address);
      assert.equal(code, 'unreachable');
      assert.match(hint, /address is right/);
      assert.ok(hint.includes(origin.url), 'the server may refuse this origin');
    }
    assert.match((await attempt('mqtt://127.0.0.1:1883')).hint, /MQTT over TCP/);
    assert.match((await attempt(origin.url)).hint, /ws:\/\/ instead of http:\/\//);
    assert.equal((await attempt('nowhere')).code, 'invalid-options');
    assert.equal(await attempt(url), 'done');
  });

  test('says that a page which came over HTTPS needs wss, and may speak to this machine without', async () => {
    const page = await browser.newPage();
    await page.route('https://page.test/**', (route) => {
      const isScript = route.request().url().endsWith('/client.js');
      const body = isScript ? origin.script('client') : '<!doctype html><script type="module" src="/client.js"></script>';
      return route.fulfill({ contentType: isScript ? 'text/javascript' : 'text/html', body });
    });
    await page.goto('https://page.test/');
    await page.waitForFunction('globalThis.isReady');
    const { code, message, hint } = await page.evaluate(() => attempt('ws://server.test/mqtt'));
    assert.deepEqual([code, /HTTPS/.test(message), /wss:/.test(hint)], ['unreachable', true, true], `${message} ${hint}`);
    const local = await page.evaluate(() => attempt('ws://127.0.0.1:1'));
    assert.doesNotMatch(local.hint, /wss:/);
    await page.close();
  });

  test('says that a policy forbids it, where one does', async () => {
    const { code, hint } = await attempt(url, "connect-src 'none'");
    assert.deepEqual([code, /Content-Security-Policy/.test(hint)], ['unreachable', true], hint);
  });

  test('says what to look at when the server has no MQTT, no subprotocol, or refuses the page', async () => {
    const other = createServer((_, response) => response.end('hello'));
    const silent = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => false });
    const closing = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mqtt' });
    const refusing = new WebSocketServer({ host: '127.0.0.1', port: 0, verifyClient: () => false });
    closing.on('connection', (socket) => socket.close());
    other.listen(0, '127.0.0.1');
    await Promise.all([other, silent, closing, refusing].map((it) => once(it, 'listening')));
    const at = (it) => `ws://127.0.0.1:${it.address().port}/mqtt`;
    for (const it of [other, silent, refusing]) {
      const { code, hint } = await attempt(at(it));
      assert.equal(code, 'unreachable');
      assert.match(hint, /offers the subprotocol mqtt/);
      assert.match(hint, /accepts pages from http:/);
    }
    const { code, hint } = await attempt(at(closing));
    assert.equal(code, 'closed');
    assert.match(hint, /wrong port or path.*protocolVersion: 4/);
    for (const it of [other, silent, closing, refusing]) it.close();
  });
});
