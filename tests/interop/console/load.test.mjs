// How much the console loads before its first message, and how long that takes: printed, with a limit on the bytes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Console } from './console.mjs';

let console;
before(async () => (console = await Console.start()));
after(() => console?.stop());

test('the first load is small, and ends with a message', async (context) => {
  const browserContext = await console.browser.newContext({ locale: 'en-US' });
  const page = await browserContext.newPage();
  const bodies = [];
  page.on('response', (response) => bodies.push(response.body().then((body) => ({ body, url: response.url() }))));
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[role=listbox]')?.textContent.includes('sensor/')) return;
      globalThis.firstMessage = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.goto(console.server.url);
  await page.getByRole('listbox').getByText(/^sensor\//).first().waitFor();
  const milliseconds = await page.evaluate('globalThis.firstMessage');
  const loaded = await Promise.all(bodies);
  await browserContext.close();

  const bytes = loaded.reduce((sum, { body }) => sum + gzipSync(body, { level: 9 }).length, 0);
  context.diagnostic(`${loaded.length} files, ${Math.round(bytes / 1024)} KiB gzip; the first message after ${Math.round(milliseconds)} ms`);
  assert.ok(bytes < LIMIT, `${bytes} bytes`);
});

/** Bytes. */
const LIMIT = 350 * 1024;
