// The built page, driven as a person would: in Chromium, by labels and roles, served by its own server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';

const serve = fileURLToPath(new URL('../../www/serve.mjs', import.meta.url));
const screenshots = fileURLToPath(new URL('../../target/screenshots/', import.meta.url));
const defaults = { filter: 'sensor/+/temperature', topic: 'sensor/10/temperature', payload: '23.5' };

describe('the page', () => {
  let server, browser, page, complaints;

  before(async () => {
    server = await startServer(0);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    await open({});
  });

  afterEach(async () => {
    await page.context().close();
    assert.deepEqual(complaints, []);
  });

  test('opens with a running broker and two connected clients', async () => {
    assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), ['dashboard', 'sensor-10']);
    await figure('Clients', '2');
    await figure('Messages in', '0');
  });

  test('shows a message crossing after Subscribe and Publish without typing', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await publish(sensor);

    const entry = received(dashboard);
    await entry.waitFor();
    assert.match(await entry.locator('time').textContent(), /^\d\d:\d\d:\d\d\.\d{3}$/);
    assert.equal(await entry.locator('.topic').textContent(), defaults.topic);
    assert.equal(await entry.locator('.payload').textContent(), defaults.payload);
    assert.equal(await received(sensor).count(), 0);
    await figure('Messages in', '1');
    await figure('Messages out', '1');
  });

  for (const qos of [0, 1, 2]) {
    test(`carries a QoS ${qos} message as QoS ${qos}`, async () => {
      const [dashboard, sensor] = clients();
      await subscribe(dashboard, { qos });
      await publish(sensor, { qos });
      await received(dashboard).getByText(`QoS ${qos}`).waitFor();
      await sent(sensor).getByText(`QoS ${qos}`).waitFor();
    });
  }

  test('shows a subscriber the QoS that it was granted, not the one of the publisher', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard, { qos: 1 });
    await publish(sensor, { qos: 2 });
    await received(dashboard).getByText('QoS 1').waitFor();
  });

  test('greets a later subscriber with the retained message, marked as such', async () => {
    const [dashboard, sensor] = clients();
    await publish(sensor, { retain: true, payload: 'kept' });
    await figure('Retained', '1');
    await subscribe(dashboard);
    await received(dashboard).getByText('kept').waitFor();
    await received(dashboard).getByText('retain', { exact: true }).waitFor();
  });

  test('stops a subscription', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await subscribe(dashboard, { filter: 'done' });
    await dashboard.getByRole('button', { name: 'Unsubscribe from sensor/+/temperature' }).click();
    await dashboard.getByText('sensor/+/temperature', { exact: true }).waitFor({ state: 'detached' });
    await publish(sensor);
    await publish(sensor, { topic: 'done' });
    await received(dashboard).getByText('done').waitFor();
    assert.equal(await received(dashboard).count(), 1);
  });

  test('shows each message once, however often its filter was subscribed to', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await subscribe(dashboard, { qos: 1 });
    await publish(sensor, { qos: 1 });
    await received(dashboard).getByText('QoS 1').waitFor();
    assert.equal(await received(dashboard).count(), 1);
  });

  test('shows what a session that was kept has missed', async () => {
    const [dashboard, sensor] = clients();
    await disconnect(dashboard);
    await dashboard.getByLabel('Clean start').uncheck();
    await dashboard.getByLabel('Keep alive (seconds)').fill('');
    await connect(dashboard);
    await subscribe(dashboard, { qos: 1 });
    await disconnect(dashboard);
    await publish(sensor, { qos: 1, payload: 'missed' });
    await connect(dashboard);
    await received(dashboard).getByText('missed').waitFor();
  });

  test('lets a client of 3.1.1 and one of 5.0 talk to each other', async () => {
    const [dashboard, sensor] = clients();
    await disconnect(dashboard);
    await dashboard.getByLabel('Version').selectOption('MQTT 3.1.1');
    await connect(dashboard);
    await subscribe(dashboard);
    await subscribe(sensor, { filter: 'answer' });
    await publish(sensor);
    await received(dashboard).getByText(defaults.payload, { exact: true }).waitFor();
    await publish(dashboard, { topic: 'answer', payload: 'heard', qos: 1 });
    await received(sensor).getByText('heard').waitFor();
  });

  test('disconnects a client, hears nothing, and connects it again under another name', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await disconnect(dashboard);
    await figure('Clients', '1');
    await publish(sensor, { payload: 'missed' });

    await dashboard.getByLabel('Client identifier').fill('office');
    await dashboard.getByLabel('Keep alive (seconds)').fill('5');
    await connect(dashboard);
    await dashboard.getByRole('heading', { name: 'office' }).waitFor();
    await subscribe(dashboard);
    await publish(sensor, { payload: 'heard' });
    await received(dashboard).getByText('heard').waitFor();
    assert.equal(await received(dashboard).count(), 1);
  });

  test('tells a client that another one took its place', async () => {
    const [dashboard, sensor] = clients();
    await disconnect(sensor);
    await sensor.getByLabel('Client identifier').fill('dashboard');
    await connect(sensor);
    await dashboard.getByRole('alert').waitFor();
    await dashboard.getByRole('button', { name: 'Connect', exact: true }).waitFor();
    await figure('Clients', '1');
  });

  test('adds a client that hears the others', async () => {
    await page.getByRole('button', { name: 'Add a client' }).click();
    const [dashboard, , third] = clients();
    await subscribe(third);
    await publish(dashboard);
    await received(third).getByText(defaults.payload, { exact: true }).waitFor();
    await figure('Clients', '3');
  });

  test('answers a wrong topic, filter or client option with a sentence', async () => {
    const [dashboard, sensor] = clients();
    await publish(sensor, { topic: 'sensor/#' });
    await sensor.getByRole('alert').getByText(/^[A-Z].*\.$/).waitFor();
    await sensor.getByRole('button', { name: 'Dismiss' }).click();
    await sensor.getByRole('alert').waitFor({ state: 'detached' });

    await subscribe(dashboard, { filter: 'a/#/b' });
    await dashboard.getByRole('alert').getByText(/^[A-Z].*\.$/).waitFor();
    await figure('Clients', '2');
  });

  test('shows markup in a payload, a topic and a filter as text', async () => {
    const [dashboard, sensor] = clients();
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await subscribe(dashboard, { filter: '#' });
    await subscribe(dashboard, { filter: '<b>/#' });
    await publish(sensor, { topic: '<b>bold', payload: markup });
    await received(dashboard).getByText(markup, { exact: true }).waitFor();
    assert.equal(await page.locator('article :is(img, script, b)').count(), 0);
    assert.equal(await page.title(), 'MQlite');
  });

  test('shows an empty payload and lines as they are', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await publish(sensor, { payload: '' });
    await received(dashboard).getByText('(empty)').waitFor();
    await publish(sensor, { payload: '{\n  "a": "ü"\n}' });
    await received(dashboard).nth(1).waitFor();
    assert.equal(await received(dashboard).nth(1).locator('.payload').textContent(), '{\n  "a": "ü"\n}');
  });

  test('keeps the latest 500 messages of a client and says how many it cut', async () => {
    const [dashboard, sensor] = clients();
    await subscribe(dashboard);
    await sensor.getByRole('form', { name: 'Publish' }).evaluate((form) => {
      for (let number = 0; number < 503; number += 1) form.requestSubmit();
    });
    await dashboard.getByText('3 older messages cut').waitFor();
    assert.equal(await received(dashboard).count(), 500);
    await dashboard.getByRole('button', { name: 'Clear' }).click();
    await received(dashboard).first().waitFor({ state: 'detached' });
  });

  test('is used by keyboard alone', async () => {
    const [dashboard, sensor] = clients();
    await tabTo(dashboard.getByRole('button', { name: 'Subscribe', exact: true }));
    await page.keyboard.press('Enter');
    await tabTo(sensor.getByLabel('Payload'));
    await page.keyboard.press('Control+A');
    await page.keyboard.type('typed');
    await tabTo(sensor.getByLabel('Retain'));
    await page.keyboard.press('Space');
    await tabTo(sensor.getByRole('button', { name: 'Publish' }));
    await page.keyboard.press('Enter');
    await received(dashboard).getByText('typed').waitFor();
    await sent(sensor).getByText('retain', { exact: true }).waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const [device, width] of [['desktop', 1280], ['phone', 390]]) {
      test(`is accessible and fits its window: ${device}, ${colorScheme}`, async () => {
        await page.context().close();
        await open({ colorScheme, viewport: { width, height: 844 } });
        const [dashboard, sensor] = clients();
        await subscribe(dashboard);
        await publish(sensor, { retain: true });
        await publish(sensor, { topic: 'sensor/#' });
        await received(dashboard).waitFor();
        await figure('Retained', '1');
        await page.screenshot({ path: `${screenshots}${device}-${colorScheme}.png`, fullPage: true });
        await disconnect(dashboard);

        assert.deepEqual(await page.evaluate(accessibilityCheck), []);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
      });
    }
  }

  test('has a policy in force against scripts in its text', async () => {
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.head.append(script);
    });
    assert.equal(await page.title(), 'MQlite');
    const [complaint] = complaints.splice(0);
    assert.match(complaint, /Content Security Policy/);
  });

  async function open(options) {
    const context = await browser.newContext(options);
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(server.url);
    await page.getByText('connected', { exact: true }).nth(1).waitFor();
  }

  function clients() {
    return [0, 1, 2].map((index) => page.getByRole('article').nth(index));
  }

  async function figure(name, value) {
    await page.locator('dl > div').filter({ hasText: name }).getByText(value, { exact: true }).waitFor();
  }

  /** Presses Tab until that control has the focus. */
  async function tabTo(control) {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await control.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`the Tab key does not reach ${control}`);
  }
});

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

async function connect(client) {
  await client.getByRole('button', { name: 'Connect', exact: true }).click();
  await client.getByText('connected', { exact: true }).waitFor();
}

async function disconnect(client) {
  await client.getByRole('button', { name: 'Disconnect' }).click();
  await client.getByText('disconnected', { exact: true }).waitFor();
}

async function subscribe(client, { filter, qos } = {}) {
  const form = client.getByRole('form', { name: 'Subscribe' });
  if (filter !== undefined) await form.getByLabel('Topic filter').fill(filter);
  if (qos !== undefined) await form.getByLabel('QoS').selectOption(String(qos));
  await form.getByRole('button', { name: 'Subscribe' }).click();
  const subscribed = client.getByRole('list', { name: 'Subscriptions' }).getByText(filter ?? defaults.filter, { exact: true });
  await subscribed.or(client.getByRole('alert')).first().waitFor();
}

async function publish(client, { topic, payload, qos, retain } = {}) {
  const form = client.getByRole('form', { name: 'Publish' });
  if (topic !== undefined) await form.getByLabel('Topic').fill(topic);
  if (payload !== undefined) await form.getByLabel('Payload').fill(payload);
  if (qos !== undefined) await form.getByLabel('QoS').selectOption(String(qos));
  if (retain !== undefined) await form.getByLabel('Retain').setChecked(retain);
  await form.getByRole('button', { name: 'Publish' }).click();
}

function received(client) {
  return client.getByRole('log').locator('.entry-received');
}

function sent(client) {
  return client.getByRole('log').locator('.entry-sent');
}

/** Runs the page's server as `make demo` does; `stop` ends it as Ctrl-C does and resolves to its exit code. */
async function startServer(port) {
  const child = spawn(process.execPath, [serve], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const [url] = line.match(/http:\/\/127\.0\.0\.1:\d+\//) ?? [];
    if (!url) continue;
    const stop = async () => {
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      return code;
    };
    return { url, stop };
  }
  throw new Error('The server of the page ended without a URL: is the page built?');
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const accessibilityCheck = `${axe};
  axe.run().then(({ violations }) =>
    violations.map(({ help, nodes }) => [help, ...nodes.map(({ html }) => html)].join(' ')))`;

await mkdir(screenshots, { recursive: true });
