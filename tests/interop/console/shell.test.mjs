// The console's frame: what runs when it opens, its views, languages, colours and sizes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { mustBeAccessible, screenshots, startServer, useConsole } from './console.mjs';
import { visit } from './parts.mjs';

describe('the console', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
  }

  test('opens with a broker that runs, sensors that publish, and a subscriber that shows it', async () => {
    await open();
    const log = page.getByRole('listbox', { name: 'Messages of console' });
    await log.getByText('sensor/10/temperature', { exact: true }).first().waitFor();
    await page.getByRole('group', { name: 'Broker in this page' }).getByText('running').waitFor();
    await page.getByText('6 clients').waitFor();
  });

  test('stops the sensors, whose wills then say so, and starts them again', async () => {
    await open();
    const log = page.getByRole('listbox');
    await page.getByRole('button', { name: 'Sensors' }).click();
    await log.getByText('offline', { exact: true }).nth(4).waitFor();
    await page.getByText('1 client', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sensors' }).click();
    await page.getByText('6 clients').waitFor();
  });

  test('carries what it publishes to what it subscribes to', async () => {
    await open();
    const publish = page.getByRole('form', { name: 'Publish' });
    await publish.getByLabel('Topic').fill('harbour/1');
    await publish.getByLabel('Payload').fill('calm');
    await publish.getByLabel('QoS').selectOption('2');
    await publish.getByRole('button', { name: 'Publish' }).click();
    const entries = page.getByRole('listbox').getByRole('option').filter({ hasText: 'harbour/1' });
    await entries.filter({ hasText: 'received' }).getByText('calm').waitFor();
    await entries.filter({ hasText: 'sent' }).getByText('QoS 2').waitFor();
  });

  test('shows markup in a topic, a payload and a filter as text', async () => {
    await open();
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const subscribe = page.getByRole('form', { name: 'Subscribe' });
    await subscribe.getByLabel('Topic filter').fill('<b>/#');
    await subscribe.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('button', { name: 'Unsubscribe from <b>/#' }).waitFor();
    const publish = page.getByRole('form', { name: 'Publish' });
    await publish.getByLabel('Topic').fill('<b>bold');
    await publish.getByLabel('Payload').fill(markup);
    await publish.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('listbox').getByText(markup, { exact: true }).first().waitFor();
    assert.equal(await page.locator('main :is(img, script, b)').count(), 0);
    assert.equal(await page.title(), 'MQlite');
  });

  test('ends a subscription', async () => {
    await open();
    await page.getByRole('button', { name: 'Unsubscribe from #' }).click();
    await page.getByText('None. Try sensor/+/temperature.').waitFor();
  });

  test('says in words what is wrong with a filter', async () => {
    await open();
    const subscribe = page.getByRole('form', { name: 'Subscribe' });
    await subscribe.getByLabel('Topic filter').fill('a/#/b');
    await subscribe.getByRole('button', { name: 'Subscribe' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The subscription to a/#/b failed.').waitFor();
    await alert.getByText(/Levels are separated by/).waitFor();
    await alert.getByRole('button', { name: 'Dismiss' }).click();
    await alert.waitFor({ state: 'detached' });
  });

  test('has views to go to by keyboard', async () => {
    await open();
    for (const name of ['Tour', 'Topics', 'Wire', 'Broker', 'Bench']) {
      await page.getByRole('navigation').getByRole('button', { name }).press('Enter');
      await page.getByRole('main').getByRole('heading', { name }).first().waitFor();
    }
  });

  test('is at the view that its address names, also after a reload and by Back', async () => {
    await open({ hash: '#wire' });
    const isAt = (name) => page.getByRole('navigation').locator('[aria-current=page]').getByText(name, { exact: true }).waitFor();
    await isAt('Wire');
    await visit(page, 'Topics');
    await visit(page, 'Messages');
    await page.goBack();
    await isAt('Topics');
    await page.reload();
    await isAt('Topics');
    await page.goBack();
    await isAt('Wire');
    assert.equal(new URL(page.url()).hash, '#wire');
  });

  test('is in the language of the browser, changes it, and remembers', async () => {
    await open({ locale: 'zh-CN' });
    assert.equal(await page.evaluate('document.documentElement.lang'), 'zh-CN');
    await page.getByRole('navigation', { name: '视图' }).waitFor();
    await page.getByRole('button', { name: 'Switch to English' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    await page.reload();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
  });

  test('is light or dark as the system, and as the reader chooses', async () => {
    await open({ colorScheme: 'dark' });
    const lightness = () => page.evaluate(brightness);
    assert.ok((await lightness()) < 0.3);
    await page.getByRole('button', { name: 'Colours: as the system' }).click();
    assert.ok((await lightness()) > 0.9);
    await page.getByRole('button', { name: 'Colours: light' }).click();
    assert.ok((await lightness()) < 0.3);
    await page.reload();
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const [device, width] of [['desktop', 1280], ['tablet', 900], ['phone', 390]]) {
      test(`is accessible and fits its window: ${device}, ${colorScheme}`, async () => {
        await open({ colorScheme, viewport: { width, height: 844 } });
        await page.getByRole('listbox').getByText('sensor/12/temperature').nth(1).waitFor();
        await page.screenshot({ path: `${screenshots}messages-${device}-${colorScheme}.png` });
        await mustBeAccessible(page);
      });
    }
  }

  test('fits a phone in Chinese too', async () => {
    await open({ locale: 'zh-CN', viewport: { width: 390, height: 844 } });
    await page.getByRole('listbox').getByText('sensor/12/temperature').first().waitFor();
    await mustBeAccessible(page);
  });

  test('has a policy in force against scripts in its text', async () => {
    await open();
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.head.append(script);
    });
    assert.equal(await page.title(), 'MQlite');
    const [complaint] = console.complaints.splice(0);
    assert.match(complaint, /Content Security Policy/);
  });
});

/** How bright the page's ground is, from 0 to 1. */
function brightness() {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data[1] / 255;
}

describe('the server of the page', () => {
  test('takes the next port when its own is taken, and ends well on Ctrl-C', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    const server = await startServer(port);
    try {
      assert.ok(Number(new URL(server.url).port) > port);
      assert.equal((await fetch(server.url)).status, 200);
    } finally {
      assert.equal(await server.stop(), 0);
      other.close();
    }
  });
});
