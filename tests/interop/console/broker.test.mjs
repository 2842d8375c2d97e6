// The inside of the page's broker: what it shows, and what is left of it after a crash and after a reload.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { publish, quiet, saved, visit } from './parts.mjs';

describe('the inside of the broker', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open({ viewport: { width: 1440, height: 900 }, ...options });
  }

  const panel = (name) => page.getByRole('main').getByRole('region', { name, exact: true });
  const row = (place, name) => panel(place).getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  const status = (text) => page.getByRole('group', { name: 'Broker in this page' }).getByText(text, { exact: true });

  /** The cells of a row, when one of them says this. */
  async function cells(place, name, text) {
    await row(place, name).getByText(text, { exact: true }).first().waitFor();
    return row(place, name).getByRole('cell').allTextContents();
  }

  /** A client with a session for an hour and a subscription of QoS 1, which goes away, and what comes meanwhile. */
  async function leaveSession() {
    await page.getByRole('button', { name: 'New connection' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Client Identifier').fill('archive');
    await form.getByLabel('Clean Start').uncheck();
    await form.getByText('Session and limits', { exact: true }).click();
    await form.getByLabel('Session Expiry (s)').fill('3600');
    await form.getByText('Subscriptions', { exact: true }).click();
    await form.getByRole('button', { name: 'Add a filter' }).click();
    await form.getByLabel('Topic filter').fill('alarm/#');
    await form.getByLabel('QoS').last().selectOption('1');
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('button', { name: /^archive/ }).locator('.lamp-connected').waitFor();
    await page.getByRole('button', { name: 'Unsubscribe from alarm/#' }).waitFor();
    await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
    await page.getByRole('button', { name: /^console/ }).click();
    await publish(page, 'alarm/smoke', 'kitchen', { qos: '1', retain: true });
    await publish(page, 'alarm/fire', 'kitchen', { qos: '1' });
  }

  /** Moves the storage, and waits until the broker is there. */
  async function keepIn(name) {
    await panel('Storage').getByLabel(name).click();
    await page.getByRole('radio', { name, checked: true, disabled: false }).waitFor();
  }

  test('shows sessions, retained messages, figures, storage and limits', async () => {
    await open();
    await visit(page, 'Broker');
    assert.deepEqual((await cells('Sessions', 'sensor-10', 'connected, MQTT 5.0')).slice(0, 5), ['connected, MQTT 5.0', '2 minutes later', '0', '0', '0']);
    assert.deepEqual(await cells('Retained messages', 'door/3/status', 'online'), ['online', '1', '6']);
    await panel('Retained messages').getByLabel('Topic filter').fill('sensor/+/status');
    await row('Retained messages', 'door/3/status').waitFor({ state: 'detached' });
    assert.equal(await panel('Retained messages').getByRole('rowheader').count(), 3);
    await panel('Retained messages').getByLabel('Topic filter').fill('sensor/#/status');
    await panel('Retained messages').getByText('No Topic Filter').waitFor();
    await row('Figures', 'Clients connected $SYS/broker/clients/connected').getByRole('cell', { name: '6', exact: true }).waitFor();
    await panel('Limits').getByText('7 days a session may outlive its connection.').waitFor();
    await panel('Limits').getByText('1 MB is the largest packet.').waitFor();
    await page.screenshot({ path: `${screenshots}broker.png` });
  });

  test('says the figures of $SYS', async () => {
    await open();
    const subscribe = page.getByRole('form', { name: 'Subscribe' });
    await subscribe.getByLabel('Topic filter').fill('$SYS/#');
    await subscribe.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('button', { name: 'Unsubscribe from $SYS/#' }).waitFor();
    await visit(page, 'Broker');
    await panel('Figures').getByRole('row').nth(1).waitFor(); // the view is loaded when it is first looked at
    const told = await panel('Figures').locator('code').allTextContents();
    await visit(page, 'Topics');
    await page.getByRole('tree').getByRole('treeitem').filter({ hasText: '$SYS' }).waitFor();
    await visit(page, 'Messages');
    await page.getByLabel('Search topics and payloads').fill('$SYS');
    // The last of the first round. The file has all that were found until then: the list draws only those in sight, and more come.
    await page.getByRole('option').filter({ hasText: '$SYS/broker/connections/refused' }).waitFor();
    const { path } = await saved(page, () => page.getByRole('button', { name: 'NDJSON' }).click());
    const topics = (await readFile(path, 'utf8')).trim().split('\n').map((line) => JSON.parse(line).topic);
    const untold = ['$SYS/broker/uptime', '$SYS/broker/version'];
    assert.deepEqual([...new Set(topics)].sort(), [...told, ...untold].sort());
  });

  test('is killed and restored: what is retained, and what waits for a session, is still there', async () => {
    await open();
    await quiet(page);
    await leaveSession();
    await visit(page, 'Broker');
    assert.deepEqual((await cells('Sessions', 'archive', 'away')).slice(0, 5), ['away', '1 hour later', '1', '2', '0']);

    await panel('Kill and restore').getByRole('button', { name: 'Kill the broker' }).click();
    await status('killed').waitFor();
    await panel('Kill and restore').getByText('The broker is dead.').waitFor();
    assert.equal(await panel('Sessions').count(), 0);
    await page.getByRole('button', { name: /^console/ }).getByText('connecting again soon').waitFor();

    await panel('Kill and restore').getByRole('button', { name: 'Restore it from its storage' }).click();
    await status('running').waitFor();
    assert.deepEqual(await cells('Kill and restore', 'Messages waiting for sessions', '2'), ['2', '2']);
    assert.deepEqual(await cells('Kill and restore', 'Connections', '0'), ['1', '0']);
    const [before, now] = await cells('Kill and restore', 'Retained messages', '6');
    assert.deepEqual([before, now], ['6', '6']);
    await panel('Kill and restore').getByText('No session and no retained message is gone.').waitFor();
    assert.deepEqual(await cells('Retained messages', 'alarm/smoke', 'kitchen'), ['kitchen', '1', '7']);
    assert.deepEqual((await cells('Sessions', 'archive', 'away')).slice(0, 5), ['away', '1 hour later', '1', '2', '0']);
    await row('Sessions', 'console').getByText('connected, MQTT 5.0').waitFor();
    await page.screenshot({ path: `${screenshots}broker-restored.png` });

    await visit(page, 'Messages');
    await page.getByRole('button', { name: /^archive/ }).click();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    const log = page.getByRole('listbox', { name: 'Messages of archive' });
    await log.getByText('alarm/fire', { exact: true }).waitFor();
    await log.getByText('alarm/smoke', { exact: true }).first().waitFor();
  });

  test('keeps all over a reload when it is in IndexedDB, and moves back', async () => {
    await open();
    await quiet(page);
    await publish(page, 'kept/here', 'over all', { qos: '1', retain: true });
    await visit(page, 'Broker');
    await keepIn('IndexedDB of this browser');
    await row('Retained messages', 'kept/here').waitFor();
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    await visit(page, 'Broker');
    assert.deepEqual(await cells('Retained messages', 'kept/here', 'over all'), ['over all', '1', '8']);

    // What crashes here has its records in the database, too.
    await panel('Kill and restore').getByRole('button', { name: 'Kill the broker' }).click();
    await panel('Kill and restore').getByRole('button', { name: 'Restore it from its storage' }).click();
    await row('Retained messages', 'kept/here').waitFor();

    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.locator('.card .lamp-connected').first().waitFor();
    await visit(other, 'Broker');
    await other.getByRole('alert').getByText('Another tab has the broker that is kept in IndexedDB.').waitFor();
    await other.close();

    await keepIn('The memory of this page');
    await row('Retained messages', 'kept/here').waitFor();
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    await visit(page, 'Broker');
    assert.equal(await panel('Storage').getByLabel('The memory of this page').isChecked(), true);
    await row('Retained messages', 'door/3/status').waitFor();
    assert.equal(await row('Retained messages', 'kept/here').count(), 0);
  });

  test('ends connections and sessions', async () => {
    await open();
    await quiet(page);
    await leaveSession();
    await visit(page, 'Broker');
    await panel('Sessions').getByRole('button', { name: 'End the session of archive' }).click();
    await row('Sessions', 'archive').waitFor({ state: 'detached' });
    await panel('Sessions').getByRole('button', { name: 'Disconnect console' }).click();
    await visit(page, 'Wire');
    await page.getByLabel('Which packets').selectOption('Connections');
    await page.getByRole('option').filter({ hasText: 'DISCONNECT from Broker to console, Administrative action' }).waitFor();
  });

  for (const [name, options] of [
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
    ['chinese', { locale: 'zh-CN' }],
  ]) {
    test(`is accessible and fits its window: ${name}`, async () => {
      await open(options);
      await page.getByRole('navigation').getByRole('button').nth(4).click(); // in any language
      await page.getByRole('rowheader', { name: 'sensor-12' }).waitFor();
      await mustBeAccessible(page);
      await page.locator('.crash button').click();
      await page.locator('.survivors').waitFor();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}broker-${name}.png` });
    });
  }
});
