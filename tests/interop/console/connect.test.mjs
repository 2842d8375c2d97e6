// The console's connections: the form, profiles, links, several side by side, and what is said when one fails.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { freePort } from '../free-port.mjs';
import { peers, startBroker } from '../peers.mjs';
import { mustBeAccessible, screenshots, startWorker, useConsole } from './console.mjs';
import { saved, visit } from './parts.mjs';

describe('connections', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
  }

  test('stand side by side, each with its own messages', async () => {
    await open();
    await openOffice();
    const [first, second] = ['console', 'office'].map((name) => page.getByRole('listbox', { name: `Messages of ${name}` }));
    await second.getByText('sensor/10/temperature', { exact: true }).first().waitFor();
    await first.getByText('sensor/11/temperature', { exact: true }).first().waitFor();
    assert.equal(await second.getByText('sensor/11/temperature', { exact: true }).count(), 0);
    await page.screenshot({ path: `${screenshots}side-by-side.png` });
    await mustBeAccessible(page);
    await page.getByRole('button', { name: 'Close office' }).click();
    await second.waitFor({ state: 'detached' });
  });

  test('stand side by side, each with its own tree of topics, its filter and its choice', async () => {
    await open();
    await visit(page, 'Topics');
    await openOffice();
    const [first, second] = ['console', 'office'].map((name) => page.getByRole('region', { name, exact: true }));
    const names = (column) => column.getByRole('treeitem').locator('.topic-name').allTextContents();
    await second.getByRole('treeitem').nth(4).waitFor();
    await first.getByRole('treeitem').nth(9).waitFor();
    assert.deepEqual(await names(second), ['sensor', '10', 'humidity', 'status', 'temperature']);

    await first.getByLabel('Filter by topic').fill('meter/1/power');
    await first.getByText('1 topic matches.').waitFor();
    assert.deepEqual(await names(first), ['meter', '1', 'power']);
    await second.getByRole('treeitem').filter({ hasText: 'temperature' }).click();
    await second.getByRole('listbox', { name: 'History' }).getByRole('option').nth(2).waitFor();
    await first.getByText('Choose a topic').waitFor();
    assert.deepEqual(await names(second), ['sensor', '10', 'humidity', 'status', 'temperature']);
    await mustBeAccessible(page);
    await page.screenshot({ path: `${screenshots}side-by-side-topics.png` });

    await page.getByRole('button', { name: 'Close office' }).click();
    await second.waitFor({ state: 'detached' });
    assert.deepEqual(await page.getByRole('treeitem').locator('.topic-name').allTextContents(), ['meter', '1', 'power']);
  });

  test('leave their will when they are thrown out, and say who took their place', async () => {
    await open();
    const form = await openForm();
    await form.getByLabel('Client Identifier').fill('gauge');
    await form.getByText('Will', { exact: true }).click();
    await form.getByLabel('Leave a will').check();
    await form.getByLabel('Topic', { exact: true }).fill('gauge/gone');
    await form.getByLabel('Connect again by itself').uncheck();
    await connect(form, 'gauge');

    const other = await openForm();
    await other.getByLabel('Client Identifier').fill('gauge');
    await other.getByLabel('Connect again by itself').uncheck();
    await other.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.locator('.card', { hasText: 'disconnected' }).getByRole('button').first().click();
    await page.getByRole('alert').getByText(/Another client connected with the same Client Identifier/).waitFor();
    await page.locator('.card', { hasText: 'console' }).getByRole('button').first().click();
    await page.getByRole('listbox').getByText('gauge/gone', { exact: true }).waitFor();
  });

  test('are told in words what is wrong before they are tried', async () => {
    await open();
    const form = await openForm();
    await form.getByLabel('Where').selectOption('WebSocket address');
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    await form.getByText('Something has to be here.').waitFor();
    for (const [address, words] of [
      ['https://broker.example/mqtt', /Write wss:\/\/ instead of https:/],
      ['mqtt://broker.example', /MQTT over TCP, which browsers do not speak/],
      ['broker.example', /This is no address/],
      ['wss://ada:secret@broker.example/mqtt', /Put user name and password into their fields/],
    ]) {
      await form.getByLabel('Address').fill(address);
      await form.getByText(words).waitFor();
    }
    await form.getByLabel('Keep Alive (s)').fill('soon');
    await form.getByText(/A whole number within the limits/).waitFor();
    assert.ok(await form.getByLabel('Address').getAttribute('aria-invalid'));
  });

  test('say why, as far as it can be known, when nobody answers', async () => {
    await open();
    const form = await openForm();
    await form.getByLabel('Where').selectOption('WebSocket address');
    await form.getByLabel('Address').fill(`ws://127.0.0.1:${await freePort()}/mqtt`);
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    const alert = page.getByRole('alert');
    await alert.getByText(/^There is no connection to ws:\/\/127/).waitFor();
    await alert.getByText('Nothing answers on this machine at this port, or it is no WebSocket.').waitFor();
    assert.match(console.complaints.splice(0).join(), /WebSocket connection to/);
    await mustBeAccessible(page);
  });

  test('say what may be the cause when the server closes without a word', async () => {
    const server = await startSilent({ accepts: false });
    try {
      await open({ allowed: [server.url] });
      await connectSilently(server.url);
      const alert = page.getByRole('alert');
      await alert.getByText(/^There is no connection to ws:\/\/127/).waitFor();
      await alert.getByText(/^The server closed the connection without a word: it may know MQTT 3.1.1 alone/).waitFor();
    } finally {
      await page.context().close();
      await server.stop();
    }
  });

  test('say that they were lost, not that somebody should connect first', async () => {
    const server = await startSilent({ accepts: true });
    try {
      await open({ allowed: [server.url] });
      await connectSilently(server.url);
      await page.locator('.card', { hasText: 'hermit' }).locator('.lamp-connected').waitFor();
      server.drop();
      const alert = page.getByRole('alert');
      await alert.getByText(/^The connection to ws:\/\/127.* was lost/).waitFor();
      assert.equal(await alert.getByText('Connect first').count(), 0);
    } finally {
      await page.context().close(); // it tries to connect again
      await server.stop();
    }
  });

  test('say that the server had kept the session', async () => {
    await open();
    const form = await openForm();
    await form.getByLabel('Client Identifier').fill('keeper');
    await form.getByLabel('Clean start').uncheck();
    await form.getByText('Session and limits', { exact: true }).click();
    await form.getByLabel('Session Expiry (s)').fill('600');
    await connect(form, 'keeper');
    const card = page.locator('.card', { hasText: 'keeper' });
    assert.equal(await card.getByText('session resumed').count(), 0);
    await card.getByRole('button', { name: 'Disconnect' }).click();
    await card.getByRole('button', { name: 'Connect', exact: true }).click();
    await card.getByText('session resumed').waitFor();
    await mustBeAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await mustBeAccessible(page);
  });

  test('say which credentials are wrong, and that a later attempt with others works', async () => {
    const isRight = (password) => new TextDecoder().decode(password) === 'right';
    const server = await startBroker({
      authenticate: ({ password }) => (isRight(password) ? { type: 'allow' } : { type: 'deny', reason: 0x86, message: 'Ask Charles.' }),
    });
    const url = `ws://127.0.0.1:${server.port}/mqtt`;
    try {
      await open({ allowed: [url] });
      const form = await openForm();
      await form.getByLabel('Where').selectOption('WebSocket address');
      await form.getByLabel('Address').fill(url);
      await form.getByLabel('Client Identifier').fill('guest');
      await form.getByText('Credentials', { exact: true }).click();
      await form.getByLabel('User name').fill('ada');
      await form.getByLabel('Password or token').fill('wrong');
      await form.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByRole('alert').getByText('The user name or password is wrong.').waitFor();
      await page.getByRole('alert').getByText('The server says: “Ask Charles.”').waitFor();
      await page.getByRole('alert').getByText('Reason Code 0x86.').waitFor();

      await page.getByRole('button', { name: 'Settings: guest' }).click();
      await page.getByRole('dialog').getByLabel('Password or token').fill('right');
      await connect(page.getByRole('dialog'), 'guest');
      await page.getByRole('alert').waitFor({ state: 'detached' });
    } finally {
      await page.context().close(); // it would try to connect again
      await server.stop();
    }
  });

  for (const version of ['MQTT 5.0', 'MQTT 3.1.1']) {
    test(`speak ${version} to mosquitto`, async () => {
      const mosquitto = await peers.mosquitto();
      try {
        const url = `ws://127.0.0.1:${mosquitto.port}/mqtt`;
        await open({ allowed: [url] });
        const form = await openForm();
        await form.getByLabel('Where').selectOption('WebSocket address');
        await form.getByLabel('Address').fill(url);
        await form.getByLabel('Version').selectOption(version);
        await form.getByLabel('Client Identifier').fill('abroad');
        await connect(form, 'abroad');
        await hearsItself();
      } finally {
        await page.context().close(); // it would try to connect again
        await mosquitto.stop();
      }
    });
  }

  test('lead to the worker that serves the page, under the policy that it sends', async () => {
    const worker = await startWorker();
    try {
      await open({ url: worker.page, allowed: [worker.url] });
      const form = await openForm();
      await form.getByText('The server of this page').click();
      await form.getByLabel('Client Identifier').fill('edge');
      await connect(form, 'edge');
      await hearsItself();
    } finally {
      await page.context().close(); // it would try to connect again
      await worker.stop();
    }
  });

  test('are as the chosen profile says, also where it says nothing and another one did', async () => {
    await open();
    const form = await openForm();
    const expiry = form.getByLabel('Session Expiry (s)');
    await form.getByText('Session and limits', { exact: true }).click();
    for (const [name, seconds] of [['patient', '3600'], ['hasty', '']]) {
      await form.getByText('The broker in this page').click();
      await form.getByLabel('Name of the profile').fill(name);
      if (!(await expiry.isVisible())) await form.getByText('Session and limits', { exact: true }).click();
      await expiry.fill(seconds);
      await form.getByRole('button', { name: 'Save profile' }).click();
      await form.getByText('Saved.').waitFor();
    }
    for (const [name, seconds] of [['patient', '3600'], ['hasty', ''], ['patient', '3600']]) {
      await form.getByRole('button', { name: `Use ${name}` }).click();
      assert.equal(await expiry.inputValue(), seconds, name);
    }
  });

  test('have a form whose sections stay as they are while one types, and unfold for what is wrong', async () => {
    await open();
    const form = await openForm();
    const userName = form.getByLabel('User name');
    await form.getByText('Credentials', { exact: true }).click();
    await userName.fill('ada');
    await userName.press('ControlOrMeta+a');
    await userName.press('Delete');
    await userName.pressSequentially('bea');
    assert.equal(await userName.inputValue(), 'bea');
    assert.ok(await userName.isVisible());

    const maximum = form.getByLabel('Receive Maximum');
    const summary = form.getByText('Session and limits', { exact: true });
    await summary.click();
    await maximum.fill('0');
    for (let time = 0; time < 2; time += 1) {
      await summary.click();
      await maximum.waitFor({ state: 'hidden' });
      await form.getByRole('button', { name: 'Connect', exact: true }).click();
      await maximum.waitFor();
      assert.ok(await maximum.evaluate((field) => field === document.activeElement));
    }
  });

  test('have profiles that stay, go to a file and come from one, without passwords that were not to be kept', async () => {
    await open();
    const form = await openForm();
    await form.getByLabel('Name of the profile').fill('Harbour <b>');
    await form.getByText('Credentials', { exact: true }).click();
    await form.getByLabel('User name').fill('ada');
    await form.getByLabel('Password or token').fill('hush');
    await form.getByRole('button', { name: 'Save profile' }).click();
    await form.getByText('Saved.').waitFor();
    await page.reload();
    assert.doesNotMatch(await page.evaluate('JSON.stringify(localStorage)'), /hush/);

    const dialog = await openForm();
    await dialog.getByRole('button', { name: 'Use Harbour <b>' }).click();
    assert.equal(await dialog.getByLabel('User name').inputValue(), 'ada');
    const file = await exported(dialog);
    const { profiles } = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual(profiles.map(({ name, userName, password }) => [name, userName, password]), [['Harbour <b>', 'ada', '']]);

    await dialog.getByRole('button', { name: 'Remove Harbour <b>' }).click();
    await dialog.getByText(/^None yet/).waitFor();
    const chooser = dialog.locator('input[type=file]');
    await chooser.setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"no":1}') });
    await dialog.getByText(/This is no file of profiles/).waitFor();
    await chooser.setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: await readFile(file) });
    await dialog.getByText('1 profile was imported.').waitFor();
    await dialog.getByRole('button', { name: 'Use Harbour <b>' }).waitFor();
  });

  test('go to a file without the secrets of their addresses, unless that is asked for', async () => {
    await open();
    const form = await openForm();
    const box = form.getByLabel('with passwords and tokens');
    await form.getByLabel('Where').selectOption('WebSocket address');
    const address = 'wss://broker.example/mqtt?access_token=hush';
    for (const [text, boxes] of [['wss://broker.example/mqtt', 0], [address, 1]]) {
      await form.getByLabel('Address').fill(text);
      await form.getByRole('button', { name: 'Save profile' }).click();
      await form.getByText('Saved.').waitFor();
      assert.equal(await box.count(), boxes);
    }
    assert.doesNotMatch(await readFile(await exported(form), 'utf8'), /hush/);
    await box.check();
    assert.equal(JSON.parse(await readFile(await exported(form), 'utf8')).profiles[0].server, address);
  });

  test('are shared by a link without secrets, which connects to nothing by itself', async () => {
    await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    const form = await openForm();
    await form.getByLabel('Where').selectOption('WebSocket address');
    await form.getByLabel('Address').fill('wss://broker.example/mqtt?access_token=hush');
    await form.getByLabel('Client Identifier').fill('shared');
    await form.getByText('Credentials', { exact: true }).click();
    await form.getByLabel('User name').fill('ada');
    await form.getByLabel('Password or token').fill('hush');
    await form.getByRole('button', { name: 'Copy link' }).click();
    await form.getByText('Copied: no password is in it.').waitFor();
    const link = new URL(await page.evaluate('navigator.clipboard.readText()'));
    await page.context().close();

    await open({ hash: link.hash });
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/This profile came with a link/).waitFor();
    assert.equal(await dialog.getByLabel('Address').inputValue(), 'wss://broker.example/mqtt');
    assert.equal(await dialog.getByLabel('User name').inputValue(), 'ada');
    assert.equal(await dialog.getByLabel('Password or token').inputValue(), '');
    assert.equal(await page.evaluate('location.hash'), '');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.locator('.card').count(), 1);
  });

  test('are offered by a link wherever the page is at, and it stays there', async () => {
    await open({ hash: '#wire' });
    await page.evaluate((hash) => (location.hash = hash), `#connect=${Buffer.from('{"server":"tab","clientId":"linked"}').toString('base64url')}`);
    const dialog = page.getByRole('dialog');
    assert.equal(await dialog.getByLabel('Client Identifier').inputValue(), 'linked');
    assert.equal(await page.evaluate('location.hash'), '#wire');
    await page.keyboard.press('Escape');
    await page.getByRole('listbox', { name: 'Packets' }).waitFor();
  });

  test('say that a link cannot be read', async () => {
    await open({ hash: '#connect=broken' });
    await page.getByRole('alert').getByText(/The link has a profile that cannot be read/).waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const [device, width] of [['desktop', 1280], ['phone', 390]]) {
      test(`have a form that is accessible and fits its window: ${device}, ${colorScheme}`, async () => {
        await open({ colorScheme, viewport: { width, height: 844 } });
        const form = await openForm();
        for (const section of ['Credentials', 'Session and limits', 'Will', 'Subscriptions']) await form.getByText(section, { exact: true }).click();
        await form.getByLabel('Leave a will').check();
        await form.getByRole('button', { name: 'Add a property' }).first().click();
        await form.getByRole('button', { name: 'Add a filter' }).click();
        await form.getByLabel('Receive Maximum').fill('0');
        await form.getByRole('button', { name: 'Connect', exact: true }).click();
        await form.getByText('1 field needs another value', { exact: false }).waitFor();
        await page.screenshot({ path: `${screenshots}connect-${device}-${colorScheme}.png` });
        await mustBeAccessible(page);
      });
    }
  }

  /** Subscribes, publishes, and waits for what was published. */
  async function hearsItself() {
    const subscribe = page.getByRole('form', { name: 'Subscribe' });
    await subscribe.getByLabel('Topic filter').fill('port/#');
    await subscribe.getByLabel('QoS').selectOption('2');
    await subscribe.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('listitem').filter({ hasText: 'port/#' }).getByText('QoS 2').waitFor();
    const publish = page.getByRole('form', { name: 'Publish' });
    await publish.getByLabel('Topic').fill('port/1');
    await publish.getByLabel('Payload').fill('heard');
    await publish.getByLabel('QoS').selectOption('2');
    await publish.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('listbox').getByRole('option').filter({ hasText: 'received' }).getByText('heard').waitFor();
  }

  /** The path of the file that the profiles are exported to. */
  async function exported(dialog) {
    const { path } = await saved(page, () => dialog.getByRole('button', { name: 'Export' }).click());
    return path;
  }

  async function openForm() {
    await page.getByRole('button', { name: 'New connection' }).click();
    const form = page.getByRole('dialog');
    await form.waitFor();
    return form;
  }

  async function connectSilently(url) {
    const form = await openForm();
    await form.getByLabel('Where').selectOption('WebSocket address');
    await form.getByLabel('Address').fill(url);
    await form.getByLabel('Client Identifier').fill('hermit');
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
  }

  /** Beside the first, which gets all, one that gets what a sensor says. */
  async function openOffice() {
    const form = await openForm();
    await form.getByLabel('Client Identifier').fill('office');
    await form.getByText('Subscriptions', { exact: true }).click();
    await form.getByRole('button', { name: 'Add a filter' }).click();
    await form.getByLabel('Topic filter').fill('sensor/10/#');
    await connect(form, 'office');
    await page.getByRole('button', { name: 'Side by side' }).click();
  }

  async function connect(form, name) {
    await form.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.locator('.card', { hasText: name }).locator('.lamp-connected').waitFor();
  }
});

/** A server that closes instead of an answer, or accepts the first client and leaves all others without one. It never says why it closes. */
async function startSilent({ accepts }) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
  await once(server, 'listening');
  let isFirst = true;
  server.on('connection', (socket) => {
    socket.once('message', () => {
      if (!accepts) socket.close();
      else if (isFirst) socket.send(Uint8Array.of(0x20, 3, 0, 0, 0));
      isFirst = false;
    });
  });
  const drop = () => server.clients.forEach((socket) => socket.terminate());
  return {
    url: `ws://127.0.0.1:${server.address().port}/mqtt`,
    drop,
    async stop() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
