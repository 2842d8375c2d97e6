// The view of the wire: packets as they pass, field by field, what is made to go wrong, and the experiments.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { peers } from '../peers.mjs';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { isInSight, visit } from './parts.mjs';

describe('the wire', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open({ viewport: { width: 1440, height: 900 }, ...options });
    await page.getByRole('navigation').getByRole('button').nth(3).click(); // in any language
    await list().waitFor();
  }

  const list = () => page.getByRole('listbox', { name: /^(Packets|报文)$/ });
  const row = (text) => list().getByRole('option').filter({ hasText: text });
  const detail = () => page.getByRole('region', { name: 'Packet', exact: true });
  const fields = () => detail().getByRole('tree', { name: 'Fields' }).getByRole('treeitem');
  const field = (name) => fields().filter({ has: page.getByText(name, { exact: true }) }).first();
  const faults = () => page.getByRole('region', { name: 'Make it go wrong' });
  const litBytes = () => detail().locator('.bytes-digits .is-lit').allTextContents();

  /** Chooses a row, which does not move while nobody follows. */
  async function choose(text) {
    await row(text).last().waitFor();
    await page.getByRole('button', { name: 'Follow' }).click();
    await row(text).last().click();
  }

  test('shows both directions of all connections of the page', async () => {
    await open();
    await row('PUBLISH from sensor-10 to Broker').first().waitFor();
    await row('PUBLISH from Broker to console').first().waitFor();
    await row('PUBACK from Broker to meter-1').first().waitFor();
    await page.getByRole('group', { name: 'Whose packets are shown' }).getByRole('button', { name: '5 sensors' }).click();
    await list().getByRole('option').filter({ hasText: 'sensor-10 to' }).first().waitFor({ state: 'detached' });
    await row('from Broker to console').first().waitFor();
    await page.getByLabel('Which packets').selectOption('Subscriptions');
    await row('SUBSCRIBE from console to Broker').waitFor();
    assert.equal(await row('PUBLISH').count(), 0);
  });

  test('keeps the newest packet in sight once it is chosen, whatever comes', async () => {
    await open();
    await row('PUBLISH from Broker to console').nth(3).waitFor();
    await list().press('End');
    const chosen = list().getByRole('option', { selected: true });
    const number = await chosen.getAttribute('id');
    const count = async () => Number(await chosen.getAttribute('aria-setsize'));
    const before = await count();
    while ((await count()) < before + 20) await page.waitForTimeout(100);
    assert.equal(await chosen.getAttribute('id'), number);
    assert.ok(await chosen.evaluate(isInSight));
    assert.equal(await page.getByRole('button', { name: 'Follow' }).getAttribute('aria-pressed'), 'false');
  });

  test('takes a packet apart: fields, bytes and rules, whichever is pointed at', async () => {
    await open();
    await page.getByLabel('Which packets').selectOption('Subscriptions');
    await choose('SUBSCRIBE from console');
    await field('Topic Filter').hover();
    assert.deepEqual(await litBytes(), ['00', '01', '23']);
    await detail().getByText('A Topic Filter is UTF-8.').last().waitFor();
    assert.match(await detail().locator('.wire-rule').textContent(), /^\[MQTT-3\.8\.3-1\] A Topic Filter is UTF-8\.$/);
    await detail().locator('.bytes-digits [data-at="0"]').hover();
    assert.match(await detail().locator('[aria-selected=true]').textContent(), /Fixed Header/);
    assert.deepEqual(await litBytes(), ['82']);
    await page.screenshot({ path: `${screenshots}wire.png` });
  });

  test('is used with the keyboard alone', async () => {
    await open();
    await page.getByLabel('Which packets').selectOption('Subscriptions');
    await list().focus();
    await page.keyboard.press('Home');
    await detail().getByRole('heading', { name: 'SUBSCRIBE' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await detail().getByRole('heading', { name: 'SUBACK' }).waitFor();
    await field('Fixed Header').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator(':focus').textContent(), /^Remaining Length/);
    assert.deepEqual(await litBytes(), ['04']);
    await detail().getByRole('group', { name: /^Bytes/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.match(await detail().locator('[aria-selected=true]').textContent(), /^Packet Identifier/);
  });

  test('marks the packets that belong together', async () => {
    await open();
    await page.getByRole('button', { name: '5 sensors' }).click();
    await choose(/PUBLISH from Broker to console.*QoS 2/);
    await list().locator('.is-kin').nth(2).waitFor();
    const kin = await list().locator('.is-kin .visually-hidden').allTextContents();
    assert.deepEqual(kin.map((text) => text.split(' ')[0]), ['PUBREC', 'PUBREL', 'PUBCOMP']);
  });

  test('gives a broker elsewhere a line of its own, and hides secrets until they are asked for', async () => {
    const mosquitto = await peers.mosquitto();
    try {
      const url = `ws://127.0.0.1:${mosquitto.port}/mqtt`;
      await open({ allowed: [url] });
      await page.getByRole('button', { name: 'New connection' }).click();
      const form = page.getByRole('dialog');
      await form.getByLabel('Where').selectOption('WebSocket address');
      await form.getByLabel('Address').fill(url);
      await form.getByLabel('Client Identifier').fill('abroad');
      await form.getByText('Credentials', { exact: true }).click();
      await form.getByLabel('User name').fill('ada');
      await form.getByLabel('Password or token').fill('lovelace');
      await form.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByLabel('Which packets').selectOption('Connections');
      await choose(`CONNECT from abroad to 127.0.0.1:${mosquitto.port}`);
      await row(`CONNACK from 127.0.0.1:${mosquitto.port} to abroad`).waitFor();
      await field('Password').hover();
      assert.deepEqual(await litBytes(), Array(10).fill('··'));
      assert.doesNotMatch(await detail().textContent(), /lovelace/);
      await page.getByRole('button', { name: 'Show secrets' }).click();
      await detail().getByText('"lovelace"').waitFor();
      await page.screenshot({ path: `${screenshots}wire-servers.png` });
    } finally {
      await page.context().close(); // or it tries to connect to what has gone
      await mosquitto.stop();
    }
  });

  test('cuts a connection, which comes back', async () => {
    await open();
    await page.getByRole('button', { name: '5 sensors' }).click();
    await page.getByLabel('Which packets').selectOption('Connections');
    await faults().getByRole('button', { name: 'Cut now' }).click();
    await row('The connection of console to Broker was cut').waitFor();
    await row('console has opened a connection to Broker').nth(1).waitFor();
    await row('CONNACK from Broker to console, Session Present').waitFor();
  });

  test('loses, doubles and delays packets', async () => {
    await open();
    await page.getByLabel('Which packets').selectOption('Messages');
    await faults().getByLabel('Way').selectOption('to the broker');
    await faults().getByRole('button', { name: 'Add' }).click();
    await row(/PUBACK from console to Broker.*lost/).first().waitFor();
    assert.equal(await faults().getByRole('list', { name: 'What is still to go wrong' }).getByRole('listitem').count(), 0);

    await faults().getByLabel('What', { exact: true }).selectOption('double');
    await faults().getByLabel('The next').selectOption('PUBLISH');
    await faults().getByLabel('Way').selectOption('to the client');
    await faults().getByRole('button', { name: 'Add' }).click();
    await row(/PUBLISH from Broker to console.*doubled/).first().waitFor();

    await faults().getByLabel('Delay to the client').fill('150');
    await row(/PUBLISH from Broker to console.*150 ms late/).first().waitFor();
    await faults().getByRole('button', { name: 'Nothing more' }).click();
    assert.equal(await faults().getByLabel('Delay to the client').inputValue(), '0');
  });

  test('takes back what was to go wrong', async () => {
    await open();
    await faults().getByLabel('The next').selectOption('AUTH');
    await faults().getByRole('button', { name: 'Add' }).click();
    await faults().getByText('lose the next AUTH to the client').waitFor();
    await faults().getByRole('button', { name: 'Take back' }).click();
    await faults().getByText('lose the next AUTH to the client').waitFor({ state: 'detached' });
  });

  test('connects with a small Receive Maximum, and keeps the subscriptions', async () => {
    await open();
    await visit(page, 'Messages');
    const subscribe = page.getByRole('form', { name: 'Subscribe' });
    await subscribe.getByLabel('Topic filter').fill('by/hand');
    await subscribe.getByRole('button', { name: 'Subscribe' }).click();
    const subscription = (text) => page.getByRole('listitem').filter({ has: page.getByText('by/hand', { exact: true }) }).getByText(text);
    await subscription(/^QoS/).waitFor();
    await visit(page, 'Wire');
    const form = faults().getByRole('form', { name: 'Receive Maximum' });
    await form.getByLabel('Receive Maximum').fill('0');
    await form.getByText('From 1 to 65,535.').waitFor();
    await form.getByLabel('Receive Maximum').fill('2');
    await form.getByRole('button', { name: 'Connect with it' }).click();
    await page.getByLabel('Which packets').selectOption('Connections');
    await row('CONNECT from console').nth(1).waitFor();
    await choose('CONNECT from console');
    assert.match(await field('Receive Maximum').textContent(), /^Receive Maximum2/);
    await visit(page, 'Messages');
    await subscription(/^QoS/).waitFor();
  });

  for (const [name, outcome, line] of [
    ['QoS 1: lose the PUBACK', 'The subscriber got the message 2 times: at least once.', /PUBLISH from experiment-publisher to Broker.*#1.*DUP/],
    ['QoS 2: lose the PUBREC', 'The subscriber got the message exactly once.', /PUBLISH from experiment-publisher to Broker.*#1.*DUP/],
    ['QoS 2: lose the PUBCOMP', 'The subscriber got the message exactly once.', /PUBREL from experiment-publisher to Broker/],
    ['Receive Maximum 1', 'All 4 messages came, and never more than 1 was unacknowledged.', /PUBACK from experiment-subscriber to Broker/],
  ]) {
    test(`runs the experiment “${name}”`, async () => {
      await open();
      const experiments = page.getByRole('region', { name: 'Experiments' });
      await experiments.getByRole('button', { name }).click();
      await experiments.getByRole('status').getByText(outcome).waitFor();
      await row(line).first().waitFor({ state: 'attached' });
      assert.equal(await row('console').count(), 0);
      await experiments.getByRole('button', { name: 'Show the others again' }).click();
      await row('from Broker to console').first().waitFor();
      assert.equal(await row('experiment-publisher').count(), 0);
    });
  }

  test('leads from a step of an experiment to its packet', async () => {
    await open();
    const experiments = page.getByRole('region', { name: 'Experiments' });
    await experiments.getByRole('button', { name: 'QoS 1: lose the PUBACK' }).click();
    await experiments.getByText('at least once.').waitFor();
    await experiments.getByRole('button', { name: 'the acknowledgement is lost' }).click();
    await detail().getByRole('heading', { name: 'PUBACK' }).waitFor();
    await detail().getByText('lost', { exact: true }).waitFor();
    await page.screenshot({ path: `${screenshots}wire-experiment.png` });
  });

  for (const [name, options] of [
    ['in the dark', { colorScheme: 'dark' }],
    ['on a phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
    ['in Chinese', { locale: 'zh-CN' }],
  ]) {
    test(`is accessible ${name}, with a packet open`, async () => {
      await open(options);
      await list().focus();
      await page.keyboard.press('Home');
      await page.locator('.wire-detail .field-row, .wire-detail .wire-empty').first().waitFor();
      await page.keyboard.press('ArrowDown');
      await page.locator('.wire-detail .field-row').first().waitFor();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}wire-${name.split(' ').at(-1).toLowerCase()}.png` });
    });
  }
});
