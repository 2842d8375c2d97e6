// A client in a hidden tab of Chromium, whose timers the browser slows down, with a Keep Alive that is shorter than their pauses.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HideableBrowser } from './hidden.mjs';
import { serve } from './origin.mjs';
import { startBroker } from './peers.mjs';

describe('a client in a hidden tab', () => {
  let origin, browser, peer, url;

  before(async () => {
    origin = await serve(['hidden', 'worker']);
    browser = await HideableBrowser.launch();
    peer = await startBroker();
    url = `ws://127.0.0.1:${peer.port}`;
  });

  after(async () => {
    await browser?.close();
    await peer?.stop();
    origin?.close();
  });

  test('pings in time, and without a Worker of its own loses the connection', async () => {
    const open = async (policy) => {
      const tab = await browser.open(origin.url);
      await tab.until('globalThis.isReady');
      await tab.evaluate(`connectTo(${JSON.stringify(url)}, ${JSON.stringify(policy)})`);
      return tab;
    };
    const [punctual, late] = [await open(''), await open("worker-src 'none'")];
    const front = await browser.open(origin.url);
    await front.until('document.visibilityState === "visible"');
    await punctual.until('document.visibilityState === "hidden" && pause() > 5_000');
    await late.until('statuses.length > 0');
    assert.equal(await late.evaluate('statuses.join()'), 'ended', 'the broker heard nothing of it for three seconds');
    assert.equal(await punctual.evaluate('statuses.join()'), '');
    assert.equal(peer.broker.statistics().clientsConnected, 1);
  });
});
