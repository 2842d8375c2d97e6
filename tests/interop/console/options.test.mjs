// What the connect form says and does: all that it asks for is in the CONNECT, a password is proven, an attempt is given up.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { scramServer } from '../../../www/test/scram-server.mjs';
import { startBroker } from '../peers.mjs';
import { useConsole } from './console.mjs';
import { level, publish, visit } from './parts.mjs';

describe('the connect form of the console', () => {
  const console = useConsole();
  let page;

  async function openForm(options) {
    page = await console.open(options);
    await page.getByRole('button', { name: 'New connection' }).click();
    return page.getByRole('dialog');
  }

  /** A form that leads there. */
  async function openFormTo(url) {
    const form = await openForm({ allowed: [url] });
    await form.getByLabel('Where').selectOption('WebSocket address');
    await form.getByLabel('Address').fill(url);
    return form;
  }

  async function connect(form) {
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    await form.waitFor({ state: 'detached' });
  }

  /** A connection by its name, whatever has become of it. */
  function lamp(name, status) {
    return page.locator('.card', { hasText: name }).locator(`.lamp-${status}`);
  }

  test('asks for all limits and properties that it has fields for', async () => {
    const form = await openForm();
    await form.getByLabel('Client Identifier').fill('full');
    await form.getByText('Session and limits', { exact: true }).click();
    for (const [label, value] of [['Session Expiry (s)', '60'], ['Receive Maximum', '7'], ['Maximum Packet Size', '5000'], ['Topic Alias Maximum', '3']]) {
      await form.getByLabel(label).fill(value);
    }
    await form.getByLabel('Request Response Information').check();
    await form.getByLabel('Request Problem Information').uncheck();
    await form.getByRole('button', { name: 'Add a property' }).click();
    await form.getByLabel('Name', { exact: true }).fill('tide');
    await form.getByLabel('Value', { exact: true }).fill('high');
    await connect(form);
    await lamp('full', 'connected').waitFor();

    await visit(page, 'Wire');
    await page.getByLabel('Which packets').selectOption('Connections');
    const row = page.getByRole('listbox', { name: 'Packets' }).getByRole('option').filter({ hasText: 'CONNECT from full' });
    await row.waitFor();
    await page.getByRole('button', { name: 'Follow' }).click();
    await row.click();
    const detail = page.getByRole('region', { name: 'Packet', exact: true });
    for (const [name, value] of [
      ['Session Expiry Interval', '60 s'], ['Receive Maximum', '7'], ['Maximum Packet Size', '5000 bytes'], ['Topic Alias Maximum', '3'],
      ['Request Response Information', '1'], ['Request Problem Information', '0'],
    ]) await detail.getByRole('treeitem').filter({ has: page.getByText(name, { exact: true }) }).getByText(value, { exact: true }).first().waitFor();
    await detail.getByText(/tide/).first().waitFor();
    await detail.getByText(/high/).first().waitFor();
  });

  test('proves a password with SCRAM-SHA-256, to which the look-up of retained messages keeps', async () => {
    const server = await startBroker({ authenticate: scramServer({ ada: 'lovelace' }) });
    try {
      const form = await openFormTo(`ws://127.0.0.1:${server.port}/mqtt`);
      await form.getByLabel('Client Identifier').fill('prover');
      await form.getByText('Credentials', { exact: true }).click();
      await form.getByLabel('User name').fill('ada');
      await form.getByLabel('Password or token').fill('babbage');
      await form.getByLabel('How', { exact: true }).selectOption('SCRAM-SHA-256');
      await connect(form);
      await page.getByRole('alert').getByText('The user name or password is wrong.').waitFor();

      await page.getByRole('button', { name: 'Settings: prover' }).click();
      await page.getByRole('dialog').getByLabel('Password or token').fill('lovelace');
      await connect(page.getByRole('dialog'));
      await lamp('prover', 'connected').waitFor();
      await page.getByRole('alert').waitFor({ state: 'detached' });
      const subscribe = page.getByRole('form', { name: 'Subscribe' });
      await subscribe.getByLabel('Topic filter').fill('kept');
      await subscribe.getByRole('button', { name: 'Subscribe' }).click();
      await page.getByRole('button', { name: 'Unsubscribe from kept' }).waitFor();
      await publish(page, 'kept', 'x', { retain: true });
      await visit(page, 'Topics');
      await level(page, 'kept').click();
      await page.getByRole('button', { name: 'Delete retained…' }).click();
      await page.getByRole('dialog').getByText('The broker keeps 1 message here.').waitFor();
    } finally {
      await page.context().close(); // it would try to connect again
      await server.stop();
    }
  });

  test('leads to an attempt that can be given up while nothing answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const form = await openFormTo(`ws://127.0.0.1:${server.address().port}/mqtt`);
      await form.getByLabel('Client Identifier').fill('patient');
      const accepted = once(server, 'connection');
      await connect(form);
      const [socket] = await accepted;
      const isClosed = once(socket.on('error', () => {}).resume(), 'close');
      await lamp('patient', 'connecting').waitFor();
      await page.getByRole('button', { name: 'Give up' }).click();
      await lamp('patient', 'disconnected').waitFor();
      await isClosed;
      assert.equal(await page.getByRole('alert').count(), 0);
      await page.locator('.card', { hasText: 'patient' }).getByRole('button', { name: 'Connect', exact: true }).waitFor();
      assert.deepEqual(console.complaints.splice(0).filter((text) => !/WebSocket/.test(text)), []);
    } finally {
      server.close();
    }
  });
});
