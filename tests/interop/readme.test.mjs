// The example of the README for a tab with a storage, run as it stands there but for its import.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { serve } from './origin.mjs';

let origin;
let browser;
before(async () => {
  origin = await serve(['storage']);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  origin?.close();
});

test('The example for a tab with a storage hears what it published, and hears it again after a reload', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example] = /```js\nimport \{ Broker, indexedDb \} from 'mqlite\/broker';\n(.*?)```/s.exec(readme);
  const page = await browser.newPage();
  await page.goto(origin.url);
  for (let load = 0; load < 2; load += 1) {
    await page.waitForFunction('globalThis.isReady');
    const heard = page.waitForEvent('console');
    await page.evaluate(`(async () => { const { Broker, indexedDb } = mqlite; ${example} })()`);
    assert.equal((await heard).text(), '06:12');
    await page.reload();
  }
});
