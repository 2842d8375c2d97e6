// Code for what the page does: read off the page, and run. The commands talk to mosquitto, the programs to mosquitto as well.
// MQTTX CLI is not run, since the set-up has no way to it: of its code the tests of the models check the words.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { startMosquitto } from '../peers.mjs';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { quiet } from './parts.mjs';

describe('code for what the page does', () => {
  const console = useConsole();
  let mosquitto, listener, page, url;

  before(async () => {
    mosquitto = await startMosquitto();
    url = `ws://127.0.0.1:${mosquitto.port}/mqtt`;
    listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${mosquitto.tcp}`, { protocolVersion: 5 });
    await listener.subscribeAsync('#', { qos: 2, rap: true });
  });

  after(async () => {
    await listener?.endAsync();
    await mosquitto?.stop();
  });

  /** A page that looks at its client of mosquitto, which has left: the programs have its Client Identifier, and throw each other out. */
  async function open({ fill = async () => {}, ...options } = {}) {
    page = await console.open({ allowed: [url], ...options });
    await quiet(page);
    await page.getByRole('button', { name: 'New connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Where').selectOption('WebSocket address');
    await dialog.getByLabel('Address').fill(url);
    await dialog.getByLabel('Client Identifier').fill("o'neil");
    await fill(dialog);
    await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
    const card = page.locator('.card', { hasText: "o'neil" });
    await card.locator('.lamp-connected').waitFor();
    await card.getByRole('button', { name: 'Disconnect' }).click();
    await card.locator('.lamp-disconnected').waitFor();
  }

  /** The code of each tool for what a form says. */
  async function codes(form, tools) {
    await form.getByRole('button', { name: 'Code', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Code for this' });
    const found = [];
    for (const tool of tools) {
      await dialog.getByRole('button', { name: tool, exact: true }).click();
      found.push({ code: await dialog.locator('pre').textContent(), notes: await dialog.getByRole('listitem').allTextContents() });
    }
    await dialog.getByRole('button', { name: 'Close' }).click();
    return found;
  }

  /** What the listener hears next: of one message. */
  async function heard() {
    const [topic, payload, { qos, retain, properties }] = await once(listener, 'message');
    return { topic, payload: payload.toString('latin1'), qos, retain, properties };
  }

  const programs = [
    ['mqlite', (code) => runNode(code, 'www/')],
    ['MQTT.js', (code) => runNode(code, 'tests/interop/')],
    ['mosquitto_pub', (code) => run('sh', ['-c', code.replace('-p 1883', `-p ${mosquitto.tcp}`)])],
  ];

  for (const [name, topic, payload, format, bytes] of [
    ['what a shell would read', 'a\'b/$HOME `id` "c" \\ !! $(id) ; & | * ~', "it's \"$PATH\" `id` \\n \\\\ $(id) %s !! \n second 'line' \u2028 \u202e ü 😀", 'Text'],
    ['an option', '-t', '--help', 'Text'],
    ['JSON', 'json', '{"a": "it\'s", "b": "\\"\\u0000"}', 'JSON'],
    ['bytes', 'bytes', '00 ff 27 0a 24', 'Hex', '\0\xff\'\n$'],
    ['nothing', 'nothing', '', 'Text'],
    ['markup', '<b>x</b>', '</script><img src=x onerror=alert(1)>', 'Text'],
  ]) {
    test(`publishes the same when it is run: ${name}`, async () => {
      await open();
      const form = page.getByRole('form', { name: 'Publish' });
      await form.getByLabel('Topic', { exact: true }).fill(topic);
      await form.getByLabel('Format').selectOption(format);
      await form.getByLabel('Payload', { exact: true }).fill(payload);
      await form.getByLabel('QoS').selectOption('1');
      const wanted = { topic, payload: bytes ?? Buffer.from(payload).toString('latin1'), qos: 1, retain: false };
      const found = await codes(form, programs.map(([tool]) => tool));
      for (const [index, [tool, start]] of programs.entries()) {
        const message = heard();
        await start(found[index].code);
        const { properties: _, ...others } = await message;
        assert.deepEqual(others, wanted, tool);
      }
    });
  }

  test('says all properties of a message', async () => {
    await open();
    const form = page.getByRole('form', { name: 'Publish' });
    await form.getByLabel('Topic', { exact: true }).fill('said');
    await form.getByLabel('Retain').check();
    await form.locator('summary').filter({ hasText: 'Properties' }).click();
    await form.getByLabel('Content Type').fill("text/it's");
    await form.getByLabel('Message Expiry (s)').fill('60');
    await form.getByLabel('Response Topic').fill('answer/$(id)');
    await form.getByLabel('Correlation Data').fill('c ü');
    await form.getByLabel('Payload is UTF-8 text').check();
    for (const [index, [name, value]] of [["it's: ", '`id`'], ['same', '1'], ['same', '2']].entries()) {
      await form.getByRole('button', { name: 'Add a property' }).click();
      await form.getByLabel('Name', { exact: true }).nth(index).fill(name);
      await form.getByLabel('Value', { exact: true }).nth(index).fill(value);
    }
    const found = await codes(form, programs.map(([tool]) => tool));
    for (const [index, [tool, start]] of programs.entries()) {
      const message = heard();
      await start(found[index].code);
      const { properties, retain } = await message;
      assert.equal(retain, true, tool);
      assert.deepEqual(
        { ...properties, correlationData: properties.correlationData.toString(), userProperties: Object.entries(properties.userProperties) },
        {
          payloadFormatIndicator: true,
          messageExpiryInterval: 60,
          contentType: "text/it's",
          responseTopic: 'answer/$(id)',
          correlationData: 'c ü',
          userProperties: [["it's: ", '`id`'], ['same', ['1', '2']]],
        },
        tool,
      );
    }
    await listener.publishAsync('said', '', { retain: true });
  });

  test('subscribes to the same when it is run', async () => {
    await open();
    const form = page.getByRole('form', { name: 'Subscribe' });
    await form.getByLabel('Topic filter').fill("it's/$(id)/#");
    await form.getByLabel('QoS').selectOption('1');
    await form.getByText('Options', { exact: true }).click();
    await form.getByLabel('Subscription Identifier').fill('7');
    await form.getByLabel('Retain As Published').check();
    const [mqlite, mqttJs, command] = await codes(form, ['mqlite', 'MQTT.js', 'mosquitto_sub']);
    for (const [start, code] of [
      [(text) => node(text, 'www/'), mqlite.code],
      [(text) => node(text, 'tests/interop/'), mqttJs.code],
      [(text) => spawn('sh', ['-c', `exec ${text.replace('-p 1883', `-p ${mosquitto.tcp}`)}`]), command.code],
    ]) {
      const child = start(code);
      let said = '';
      child.stdout.on('data', (text) => (said += text));
      child.stderr.on('data', (text) => (said += text));
      try {
        while (!said.includes("it's/$(id)/1 hello")) {
          assert.equal(child.exitCode, null, said);
          await listener.publishAsync("it's/$(id)/1", 'hello', { qos: 1 });
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      } finally {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
    }
    await form.getByLabel('No Local').check();
    const [{ notes }] = await codes(form, ['mosquitto_sub']);
    assert.match(notes.join('\n'), /Missing: No Local\./);
  });

  test('runs the broker of the page, and says where nothing reaches it', async () => {
    page = await console.open();
    const form = page.getByRole('form', { name: 'Publish' });
    const [mqlite, { code, notes }] = await codes(form, ['mqlite', 'MQTT.js']);
    assert.deepEqual(mqlite.notes, []);
    await runNode(mqlite.code, 'www/');
    assert.match(code, /ws:\/\/localhost:8083\/mqtt/);
    assert.match(notes.join(), /Nothing outside reaches the broker in this page/);
  });

  test('holds no password, and nothing that is called like a secret', async () => {
    await open({
      fill: async (dialog) => {
        await dialog.getByLabel('Address').fill(`${url}?access_token=hidden1`);
        await dialog.getByText('Credentials', { exact: true }).click();
        await dialog.getByLabel('User name').fill('ada');
        await dialog.getByLabel('Password or token').fill('hidden2');
      },
    });
    const form = page.getByRole('form', { name: 'Publish' });
    await form.locator('summary').filter({ hasText: 'Properties' }).click();
    await form.getByRole('button', { name: 'Add a property' }).click();
    await form.getByLabel('Name', { exact: true }).fill('apiKey');
    await form.getByLabel('Value', { exact: true }).fill('hidden3');
    for (const { code, notes } of await codes(form, ['mqlite', 'MQTT.js', 'mosquitto_pub', 'MQTTX CLI'])) {
      assert.doesNotMatch(code, /hidden/);
      assert.match(code, /MQTT_PASSWORD/);
      assert.match(notes.join('\n'), /environment variable MQTT_PASSWORD/);
      assert.match(notes.join('\n'), /SECRET stands for/);
    }
  });

  test('is copied', async () => {
    page = await console.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('form', { name: 'Publish' }).getByRole('button', { name: 'Code', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Code for this' });
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByText('Copied').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), await dialog.locator('pre').textContent());
  });

  for (const [name, options] of [
    ['desktop-light', { colorScheme: 'light' }],
    ['desktop-dark', { colorScheme: 'dark' }],
    ['phone-light', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
  ]) {
    test(`can be read by everybody: ${name}`, async () => {
      page = await console.open(options);
      await page.getByRole('form', { name: 'Publish' }).getByRole('button', { name: 'Code', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'MQTTX CLI' }).click();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}snippet-${name}.png` });
    });
  }
});

/** Runs a program to its end, with the packages of a folder. */
async function runNode(code, folder) {
  await ends(node(code, folder), code);
}

async function run(command, args) {
  await ends(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }), args.at(-1));
}

/** A Node that has a WebSocket of its own: that of the worker. */
function node(code, folder) {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  return spawn(`${root}worker/node_modules/node/bin/node`, ['--input-type=module', '-e', code], { cwd: `${root}${folder}`, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ends(child, code) {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const [exitCode] = await once(child, 'close');
  assert.equal(exitCode, 0, `${code}\n${said}`);
}
