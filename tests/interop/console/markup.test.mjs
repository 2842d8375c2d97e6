// Markup in whatever others can say stays text, in every view: of devices by their messages and names, and of servers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from '../peers.mjs';
import { useConsole } from './console.mjs';
import { publish, quiet, visit } from './parts.mjs';

describe('markup that others say is text', () => {
  const console = useConsole();
  let page;

  /** A page without sensors, with a client whose profile and Client Identifier are markup, and which is looked at. */
  async function open(options) {
    page = await console.open({ viewport: { width: 1440, height: 900 }, ...options });
    await quiet(page);
    await page.getByRole('button', { name: 'New connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name of the profile').fill(markup('profile'));
    await dialog.getByLabel('Client Identifier').fill(markup('client'));
    await dialog.getByText('Subscriptions', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Add a filter' }).click();
    await dialog.getByLabel('Topic filter').fill('#');
    await dialog.getByRole('button', { name: 'Save profile' }).click();
    await dialog.getByText('Saved.').waitFor();
    await mustBeText('profile', 'client');
    await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.locator('.card-selected .lamp-connected').waitFor();
    await page.getByRole('button', { name: 'Unsubscribe from #' }).waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
  }

  /** The messages that came with this in their rows, the oldest first. */
  function received(text) {
    return page.getByRole('option').filter({ hasText: 'received' }).filter({ hasText: text });
  }

  /** The page shows all of these, and has made nothing of them. */
  async function mustBeText(...words) {
    for (const word of words) {
      await page.waitForFunction((text) => {
        const values = [...document.querySelectorAll('input, textarea')].map(({ value }) => value);
        return [document.body.innerText, ...values].some((shown) => shown.includes(text));
      }, markup(word));
    }
    assert.equal(await page.locator('body :is(img:not(.logo), script, s, iframe, a[href^="javascript:"])').count(), 0);
    assert.equal(await page.title(), 'MQlite');
  }

  test('in topics, names of clients, and all that MQTT 5 has beside a payload, in every view', async () => {
    await open();
    const form = page.getByRole('form', { name: 'Publish' });
    await form.locator('summary').filter({ hasText: 'Properties' }).click();
    await form.getByLabel('Content Type').fill(markup('type'));
    await form.getByLabel('Response Topic').fill(markup('answer'));
    await form.getByLabel('Correlation Data').fill(markup('correlation'));
    await form.getByRole('button', { name: 'Add a property' }).click();
    await form.getByLabel('Name', { exact: true }).fill(markup('name'));
    await form.getByLabel('Value', { exact: true }).fill(markup('value'));
    await publish(page, `top/${markup('topic')}`, markup('payload'), { qos: '1', retain: true });
    await received(markup('payload')).click();
    await page.getByRole('group', { name: 'The chosen message' }).waitFor();
    await mustBeText('topic', 'payload', 'type', 'answer', 'name', 'value', 'profile');

    await form.getByRole('button', { name: 'Code', exact: true }).click();
    for (const tool of ['mqlite', 'MQTT.js', 'mosquitto_pub', 'MQTTX CLI']) {
      await page.getByRole('dialog').getByRole('button', { name: tool, exact: true }).click();
      await page.getByRole('dialog').locator('pre').getByText('payload').waitFor();
      await mustBeText();
    }
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

    await visit(page, 'Topics');
    await page.getByRole('treeitem').last().click();
    await page.getByRole('listbox', { name: 'History' }).waitFor();
    await mustBeText('topic', 'payload', 'type', 'answer', 'name', 'value');
    await page.getByRole('button', { name: 'Delete retained…' }).click();
    await page.getByRole('dialog').getByText('keeps 1 message').waitFor();
    await mustBeText('topic', 'payload');
    await page.keyboard.press('Escape');

    await visit(page, 'Wire');
    await page.getByRole('button', { name: 'Follow' }).click();
    await page.getByRole('listbox', { name: 'Packets' }).getByRole('option').filter({ hasText: 'PUBLISH' }).last().click();
    await page.getByRole('tree', { name: 'Fields' }).getByText('User Property').first().waitFor();
    await mustBeText('topic', 'payload', 'type', 'answer', 'name', 'value', 'client');

    await visit(page, 'Broker');
    await page.getByRole('rowheader', { name: markup('client') }).waitFor();
    await mustBeText('client', 'topic', 'payload');
  });

  for (const [format, written, payload] of [
    ['Text', 'Text', (text) => text],
    ['JSON', 'JSON', (text) => JSON.stringify({ [markup('key')]: [text, 1] })],
    ['Hex', 'Hex', hex],
    ['Base64', 'Base64', (text) => Buffer.from(text).toString('base64')],
    ['CBOR', 'Hex', (text) => `a1${short('78', markup('key'))}${short('78', text)}`],
    ['MessagePack', 'Hex', (text) => `81${short('d9', markup('key'))}${short('d9', text)}`],
  ]) {
    test(`in a payload that is shown as ${format}, and in what changed in it`, async () => {
      await open();
      const form = page.getByRole('form', { name: 'Publish' });
      await form.getByLabel('Format').selectOption(written);
      for (const text of ['plain', markup('after'), 'plain']) await publish(page, 'formats', payload(text));
      await received('formats').nth(1).click();
      const message = page.getByRole('group', { name: 'The chosen message' });
      await message.getByLabel('Format').first().selectOption(format);
      await message.locator('.payload-text').waitFor();
      assert.equal(await message.getByText('This payload is no').count(), 0);
      await mustBeText(...(['Hex', 'Base64'].includes(format) ? [] : ['after']));

      await visit(page, 'Topics');
      await page.getByRole('treeitem').filter({ hasText: 'formats' }).click();
      const topic = page.getByRole('group', { name: 'The chosen topic' });
      await topic.getByLabel('Format').first().selectOption(format);
      await topic.getByRole('button', { name: 'Changes' }).click();
      await topic.locator('del').first().waitFor();
      await mustBeText();
      await topic.getByRole('listbox', { name: 'History' }).getByRole('option').nth(1).click();
      await topic.locator('ins').first().waitFor();
      await mustBeText();
    });
  }

  test('in the Reason String of a server, in an alert and on the wire', async () => {
    const server = await startBroker({ authenticate: () => ({ type: 'deny', reason: 0x87, message: markup('reason') }) });
    const url = `ws://127.0.0.1:${server.port}/mqtt`;
    try {
      page = await console.open({ allowed: [url], viewport: { width: 1440, height: 900 } });
      await page.getByRole('button', { name: 'New connection' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Where').selectOption('WebSocket address');
      await dialog.getByLabel('Address').fill(url);
      await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByRole('alert').getByText('The server says').waitFor();
      await mustBeText('reason');
      await visit(page, 'Wire');
      await page.getByLabel('Which packets').selectOption('Connections');
      await page.getByRole('listbox', { name: 'Packets' }).getByRole('option').filter({ hasText: `CONNACK from 127.0.0.1:${server.port}` }).click();
      await page.getByRole('tree', { name: 'Fields' }).getByText('Reason String').waitFor();
      await page.getByRole('button', { name: 'Dismiss' }).click();
      await mustBeText('reason');
    } finally {
      await page.context().close();
      await server.stop();
    }
  });
});

/** What would run, be loaded or be struck through. `word` tells where it was said. */
function markup(word) {
  return `<img src=x onerror=document.title=1><script>document.title=2</script><s>${word}</s>`;
}

function hex(text) {
  return Buffer.from(text).toString('hex');
}

/** A text of less than 256 bytes, after a byte that says so. */
function short(type, text) {
  return `${type}${text.length.toString(16).padStart(2, '0')}${hex(text)}`;
}
