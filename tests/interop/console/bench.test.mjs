// Measurements in the page: that they run, can be stopped, and count what the broker counts. Never how fast.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freePort } from '../free-port.mjs';
import { peers } from '../peers.mjs';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { visit } from './parts.mjs';

describe('a measurement', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
  }

  const form = () => page.getByRole('form', { name: 'Setting' });
  const result = () => page.getByRole('region', { name: 'Result' });

  async function fill(values) {
    for (const [label, value] of Object.entries(values)) {
      const field = form().getByLabel(label, { exact: true });
      if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption(value);
      else await field.fill(value);
    }
  }

  async function start() {
    await form().getByRole('button', { name: 'Start' }).click();
  }

  /** The number beside a name, or `undefined`. */
  async function count(name) {
    const rows = result().locator('.bench-count').filter({ has: page.getByText(name, { exact: true }) });
    return (await rows.count()) === 0 ? undefined : Number((await rows.locator('dd').textContent()).replaceAll(',', ''));
  }

  for (const [scenario, settings, counted, sent, times] of [
    ['Connections', { Clients: '2' }, 'Connections accepted', 'Connections begun', 1],
    ['Publish', { Publishers: '2', QoS: '0' }, 'Messages that the broker received', 'Messages published', 1],
    ['Publish', { Publishers: '2', QoS: '1' }, 'Messages acknowledged', 'Messages published', 1],
    ['Subscribe', { Clients: '2' }, 'Subscriptions granted', 'Subscriptions asked for', 1],
    ['One to one', { Pairs: '2', QoS: '2' }, 'Messages received', 'Messages published', 1],
    ['Fan-out', { Subscribers: '4', QoS: '1' }, 'Messages received', 'Messages published', 4],
  ]) {
    test(`of ${scenario}, ${JSON.stringify(settings)}, counts all that came`, async () => {
      await open();
      await visit(page, 'Bench');
      await fill({ Scenario: scenario, 'Duration (s)': '1', ...settings });
      await start();
      await result().getByText('done: 1 s').waitFor();
      const late = (await count('Came after the end, not counted')) ?? 0;
      assert.ok((await count(sent)) > 0);
      assert.equal(await count('Did not come'), 0);
      assert.equal((await count(counted)) + late, (await count(sent)) * times);
      if (settings.QoS > 0 && scenario !== 'Publish') assert.equal(await count('Acknowledged to the publisher'), await count(sent));
      // The page's own broker had no part in it.
      await visit(page, 'Messages');
      await page.getByRole('listbox').getByText(/^sensor\//).first().waitFor();
      assert.equal(await page.getByRole('listbox').getByText(/^bench\//).count(), 0);
    });
  }

  test('goes on while another view is looked at, can be stopped, and is copied with its setting', async () => {
    await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await visit(page, 'Bench');
    await fill({ Pairs: '3', 'Payload (bytes)': '100', QoS: '1', 'Duration (s)': '600', Pace: 'fixed rate', 'Messages a second': '500' });
    await start();
    await result().getByText(/^running: [1-9]/).waitFor();
    await visit(page, 'Messages');
    await page.getByRole('listbox').waitFor();
    await visit(page, 'Bench');
    await result().locator('.plot canvas').nth(1).waitFor();
    for (const name of ['Messages received a second', /^Publisher to subscriber \(ms\): p50 .*; p95 .*; p99/]) {
      await result().getByRole('img', { name }).and(page.getByRole('img', { name: /: .*([2-9]|\d\d) points/ })).waitFor(); // it grows
    }
    await form().getByRole('button', { name: 'Stop' }).click();
    await result().getByText(/^stopped after/).waitFor();
    assert.ok((await count('Messages received')) > 0);
    await form().getByRole('button', { name: 'Start' }).waitFor();
    await result().getByRole('button', { name: 'Copy as text' }).click();
    await result().getByText('Copied').waitFor();
    const text = await page.evaluate('navigator.clipboard.readText()');
    assert.match(text, /^Scenario: One to one$/m);
    assert.match(text, /^Broker: one in this page$/m);
    assert.match(text, /^Setting: Pairs: 3, QoS 1, 100 bytes, 500\/s, 600 sec$/m);
    assert.match(text, /^Outcome: stopped after \d+ s$/m);
    assert.match(text, new RegExp(`^Messages received: ${(await count('Messages received')).toLocaleString('en-US')}$`, 'm'));
    assert.match(text, /^Publisher to subscriber \(ms\): p50 .* p95 .* p99 .* longest /m);
    assert.match(text, /^Browser: Mozilla/m);
    assert.match(text, /share one thread/);
  });

  test('says what is wrong with a setting, and does not begin', async () => {
    await open();
    await visit(page, 'Bench');
    await fill({ Pairs: '201', 'Payload (bytes)': '15', 'Duration (s)': '', 'Topics below': 'a/+' });
    await start();
    await form().getByText('A whole number from 1 to 200.').waitFor();
    await form().getByText('A whole number from 16 to 1,000,000.').waitFor();
    await form().getByText('A whole number from 1 to 600.').waitFor();
    await form().getByText('A topic without wildcards that does not begin with $.').waitFor();
    assert.equal(await result().getByRole('progressbar').count(), 0);
    await mustBeAccessible(page);
  });

  test('is taken of mosquitto, by a profile, and says why when it is gone', async () => {
    const mosquitto = await peers.mosquitto();
    let stopped;
    const stopOnce = () => (stopped ??= mosquitto.stop());
    const url = `ws://127.0.0.1:${mosquitto.port}/mqtt`;
    try {
      await open({ allowed: [url] });
      await keepProfile('harbour', url);
      await visit(page, 'Bench');
      await form().getByLabel('Broker', { exact: true }).selectOption({ label: `harbour (${url})` });
      await form().getByText('Put load only on a broker that is yours').waitFor();
      await fill({ Scenario: 'Fan-out', Subscribers: '3', QoS: '1', 'Duration (s)': '1', Pace: 'fixed rate', 'Messages published a second': '100' });
      await start();
      await result().getByText('done: 1 s').waitFor();
      assert.equal((await count('Messages published')) + (await count('Due, but not begun in time')), 100);
      assert.equal(await count('Did not come'), 0);
      assert.equal((await count('Messages received')) + ((await count('Came after the end, not counted')) ?? 0), 3 * (await count('Messages published')));
      await fill({ 'Duration (s)': '600' });
      await start();
      await result().getByText(/^running/).waitFor();
      await stopOnce();
      await result().getByText(/^failed after/).waitFor();
      await result().getByRole('alert').waitFor();
    } finally {
      await page.context().close();
      await stopOnce();
    }
  });

  test('of a broker that does not answer says why', async () => {
    const url = `ws://127.0.0.1:${await freePort()}/mqtt`;
    await open({ allowed: [url] });
    await keepProfile('nobody', url);
    await visit(page, 'Bench');
    await form().getByLabel('Broker', { exact: true }).selectOption({ label: `nobody (${url})` });
    await fill({ Scenario: 'Connections', Clients: '1' });
    await start();
    await result().getByRole('alert').getByText('Nothing answers on this machine at this port, or it is no WebSocket.').waitFor();
    assert.match(console.complaints.splice(0).join(), /WebSocket connection to/);
  });

  async function keepProfile(name, url) {
    await page.getByRole('button', { name: 'New connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name of the profile').fill(name);
    await dialog.getByLabel('Where').selectOption('WebSocket address');
    await dialog.getByLabel('Address').fill(url);
    await dialog.getByRole('button', { name: 'Save profile' }).click();
    await dialog.getByText('Saved.').waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  }

  test('is taken in Chinese', async () => {
    await open({ locale: 'zh-CN' });
    await visit(page, '压测');
    await page.getByLabel('时长（秒）').fill('1');
    await page.getByRole('button', { name: '开始', exact: true }).click();
    await page.getByText('完成：1 秒').waitFor();
    await mustBeAccessible(page);
  });

  for (const [name, options] of [
    ['light', { colorScheme: 'light', viewport: { width: 1440, height: 900 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1440, height: 900 } }],
    ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ]) {
    test(`is accessible and fits its window: ${name}`, async () => {
      await open(options);
      await visit(page, 'Bench');
      await mustBeAccessible(page);
      await fill({ 'Duration (s)': '1', QoS: '1' });
      for (const run of [1, 2]) {
        await start();
        await result().getByText('done: 1 s').waitFor();
        if (run === 2) await page.getByRole('region', { name: 'Measurements of this visit' }).waitFor();
      }
      await result().locator('.plot canvas').nth(1).waitFor();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}bench-${name}.png`, fullPage: true });
    });
  }
});
