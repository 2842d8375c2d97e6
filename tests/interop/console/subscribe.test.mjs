// Subscriptions of the console with all their options, as the broker in the page understands them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { publish, quiet } from './parts.mjs';

describe('a subscription of the console', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
    await quiet(page);
    await page.getByRole('button', { name: 'Unsubscribe from #' }).click();
    await page.getByRole('button', { name: 'Unsubscribe from #' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Clear' }).click();
    const form = page.getByRole('form', { name: 'Subscribe' });
    await form.getByText('Options', { exact: true }).click();
    return form;
  }

  async function subscribe(form, filter, shown = filter) {
    await form.getByLabel('Topic filter').fill(filter);
    await form.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('button', { name: `Unsubscribe from ${shown}` }).waitFor();
    await row(shown).getByText(/^QoS/).waitFor();
  }

  function row(filter) {
    return page.getByRole('listitem').filter({ has: page.getByText(filter, { exact: true }) });
  }

  function received(text) {
    return page.getByRole('option').filter({ hasText: 'received' }).filter({ hasText: text });
  }

  test('has No Local: what the client itself publishes stays away', async () => {
    const form = await open();
    await form.getByLabel('No Local').check();
    await subscribe(form, 'own/#');
    await row('own/#').getByText('No Local').waitFor();
    await form.getByLabel('No Local').uncheck();
    await subscribe(form, 'end');
    await publish(page, 'own/1', 'mine');
    await publish(page, 'end', 'x');
    await received('end').waitFor();
    assert.equal(await received('own/1').count(), 0);
  });

  test('has an identifier, and keeps the flag Retain As Published', async () => {
    const form = await open();
    await form.getByLabel('Retain As Published').check();
    await form.getByLabel('Subscription Identifier').fill('77');
    await subscribe(form, 'kept/#');
    await row('kept/#').getByText('Retain As Published · Identifier 77').waitFor();
    await publish(page, 'kept/1', 'x', { retain: true });
    await received('kept/1').getByText('retained').waitFor();
    await received('kept/1').click();
    await page.getByRole('group', { name: 'The chosen message' }).getByText('77', { exact: true }).waitFor();
  });

  test('says what becomes of retained messages', async () => {
    const form = await open();
    await publish(page, 'kept/1', 'x', { retain: true });
    await form.getByLabel('Retained messages').selectOption('Do not send them');
    await subscribe(form, 'kept/+');
    await subscribe(form, 'end');
    await publish(page, 'end', 'x');
    await received('end').waitFor();
    assert.equal(await received('kept/1').count(), 0);
    await form.getByLabel('Retained messages').selectOption('Send them if the subscription is new');
    await subscribe(form, 'kept/#');
    await received('kept/1').waitFor();
    await subscribe(form, 'kept/#'); // again, and it is not new
    await form.getByLabel('Retained messages').selectOption('Send them');
    await subscribe(form, 'end/#');
    await publish(page, 'end/2', 'x');
    await received('end/2').waitFor();
    assert.equal(await received('kept/1').count(), 1);
    await subscribe(form, 'kept/#'); // which brings them each time
    await received('kept/1').nth(1).waitFor();
  });

  test('is shared with a group by a field of its own', async () => {
    const form = await open();
    await form.getByLabel('Share with the group').fill('crew');
    await form.getByLabel('Topic filter').fill('tide/#');
    await form.getByText('Subscribes to $share/crew/tide/#.').waitFor();
    await form.getByLabel('No Local').check();
    await form.getByText('A shared subscription cannot have No Local.').waitFor();
    await form.getByLabel('No Local').uncheck();
    await subscribe(form, 'tide/#', '$share/crew/tide/#');
    await publish(page, 'tide/1', 'x');
    await received('tide/1').waitFor();
    await form.getByLabel('Share with the group').fill('a/b');
    await form.getByText('The name of a group has no /, + or #.').waitFor();
  });

  test('has the colour that was chosen, and is changed by its row', async () => {
    const form = await open();
    await form.getByLabel('Pink').check();
    await subscribe(form, 'pink/#');
    const colour = () => row('pink/#').evaluate((item) => item.className);
    assert.match(await colour(), /hue-3/);
    await form.getByLabel('Topic filter').fill('other');
    await page.getByRole('button', { name: 'Change the subscription to pink/#' }).click();
    assert.equal(await form.getByLabel('Topic filter').inputValue(), 'pink/#');
    await form.getByLabel('Green').check();
    await form.getByLabel('QoS').selectOption('1');
    await form.getByRole('button', { name: 'Subscribe' }).click();
    await row('pink/#').getByText('QoS 1').waitFor();
    assert.match(await colour(), /hue-1/);
    assert.equal(await page.getByRole('button', { name: 'Unsubscribe from' }).count(), 1);
  });

  for (const [name, options] of [
    ['desktop-light', { colorScheme: 'light' }],
    ['desktop-dark', { colorScheme: 'dark' }],
    ['phone-light', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ]) {
    test(`can be made by everybody: ${name}`, async () => {
      const form = await open(options);
      await form.getByLabel('Share with the group').fill('crew');
      await form.getByLabel('Subscription Identifier').fill('0');
      await form.getByText(/A whole number within the limits/).waitFor();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}subscribe-${name}.png`, fullPage: true });
    });
  }
});
