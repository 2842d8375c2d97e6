// The publish editor: formats, properties, templates, places that are filled in, repetition, and questions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect } from '../../../js/dist/index.js';
import { startBroker } from '../peers.mjs';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { isInSight, quiet } from './parts.mjs';

describe('the publish editor', () => {
  const console = useConsole();
  let page, form;

  async function open(options) {
    page = await console.open(options);
    await quiet(page);
    await page.getByRole('button', { name: 'Clear' }).click();
    form = page.getByRole('form', { name: 'Publish' });
  }

  async function write(topic, payload, format = 'Text') {
    await form.getByLabel('Topic', { exact: true }).fill(topic);
    await form.getByLabel('Format').first().selectOption(format); // an answer has one too
    await form.getByLabel('Payload', { exact: true }).fill(payload);
  }

  async function send() {
    await form.getByRole('button', { name: 'Publish' }).click();
  }

  async function unfold(part) {
    await form.locator('summary').filter({ hasText: part }).click();
  }

  function rows(direction, text = '') {
    return page.getByRole('listbox', { name: 'Messages of' }).getByRole('option').filter({ hasText: direction }).filter({ hasText: text });
  }

  /** The payloads that were received on a topic, the oldest first. */
  async function payloads(topic, count) {
    await rows('received', topic).nth(count - 1).waitFor();
    return rows('received', topic).locator('.message-payload').allTextContents();
  }

  test('has its button in sight, however much is unfolded above it', async () => {
    await open({ viewport: { width: 1280, height: 800 } });
    const button = form.getByRole('button', { name: 'Publish' });
    assert.ok(await button.evaluate(isInSight));
    await unfold('Properties');
    assert.ok(await button.evaluate(isInSight));
  });

  test('takes hexadecimal digits and Base64 as bytes', async () => {
    await open();
    await write('bytes/hex', '0x00 ff:61', 'Hex');
    await send();
    await write('bytes/base64', '_-8', 'Base64');
    await send();
    assert.deepEqual(await payloads('bytes/hex', 1), ['00 ff 61']);
    assert.deepEqual(await payloads('bytes/base64', 1), ['ff ef']);
  });

  test('says what is wrong with a payload, and does not send it', async () => {
    await open();
    for (const [format, payload, words] of [
      ['JSON', '{"a":}', /^This is no JSON: /],
      ['Hex', '0g', '“g” is no hexadecimal digit.'],
      ['Hex', '012', 'A byte has two digits: the last one, 2, is alone.'],
      ['Base64', 'a', 'This is no Base64.'],
      ['Text', '{{nobody}}', 'Nothing is called {{nobody}}. Untick “Fill in” to send it as it is.'],
    ]) {
      await write('wrong', payload, format);
      await form.getByText(words).waitFor();
      await send();
    }
    await write('', 'x');
    await send();
    await form.getByText('Something has to be here.').waitFor();
    await write('a/#', 'x');
    await form.getByText('A topic has no + or #: these are for filters.').waitFor();
    await write('right', '[1, 2]', 'JSON');
    await send();
    await rows('received', 'right').waitFor();
    assert.equal(await rows('sent').count(), 1);
  });

  test('sends what MQTT 5 has beside the payload', async () => {
    await open();
    await write('said', 'x');
    await unfold('Properties');
    await form.getByLabel('Content Type').fill('text/plain');
    await form.getByLabel('Message Expiry (s)').fill('60');
    await form.getByLabel('Response Topic').fill('answer/here');
    await form.getByLabel('Correlation Data').fill('c-1');
    await form.getByLabel('Payload is UTF-8 text').check();
    await form.getByRole('button', { name: 'Add a property' }).click();
    await form.getByLabel('Name', { exact: true }).fill('unit');
    await form.getByLabel('Value', { exact: true }).fill('°C');
    await form.getByText('6 set').waitFor();
    await send();
    await rows('received', 'said').click();
    const detail = page.getByRole('group', { name: 'The chosen message' });
    for (const text of ['text/plain', 'answer/here', /60/, 'unit', '°C']) await detail.getByText(text).first().waitFor();
    await form.getByLabel('Message Expiry (s)').fill('-1');
    await send();
    await form.getByText(/A whole number within the limits/).waitFor();
    assert.equal(await rows('sent', 'said').count(), 1);
  });

  test('keeps templates over a visit', async () => {
    await open();
    await write('lamp/1', '{"on":true}', 'JSON');
    await form.getByLabel('QoS').selectOption('2');
    await unfold('Templates');
    await form.getByLabel('Name').fill('lamp <b>on</b>');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('“lamp <b>on</b>” is saved.').waitFor();
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    assert.equal(await form.getByLabel('Topic', { exact: true }).inputValue(), 'sensor/10/temperature');
    await unfold('Templates');
    await form.getByRole('button', { name: 'lamp <b>on</b>', exact: true }).click();
    assert.equal(await form.getByLabel('Topic', { exact: true }).inputValue(), 'lamp/1');
    assert.equal(await form.getByLabel('Payload', { exact: true }).inputValue(), '{"on":true}');
    assert.equal(await form.getByLabel('Format').inputValue(), 'json');
    assert.equal(await form.getByLabel('QoS').inputValue(), '2');
    await form.getByRole('button', { name: 'Remove lamp <b>on</b>' }).click();
    await form.getByText('None yet.', { exact: false }).waitFor();
    assert.equal(await page.evaluate("localStorage.getItem('mqlite.templates')"), '[]');
  });

  test('is as the chosen template says, also where it says nothing and another one did', async () => {
    await open();
    await unfold('Properties');
    await unfold('Templates');
    const expiry = form.getByLabel('Message Expiry (s)');
    for (const [name, seconds] of [['brief', '60'], ['lasting', '']]) {
      await expiry.fill(seconds);
      await form.getByLabel('Name', { exact: true }).fill(name);
      await form.getByRole('button', { name: 'Save' }).click();
    }
    for (const [name, seconds] of [['brief', '60'], ['lasting', '']]) {
      await form.getByRole('button', { name, exact: true }).click();
      assert.equal(await expiry.inputValue(), seconds, name);
    }
  });

  test('repeats with other values each time, and says when all are published', async () => {
    await open();
    await write('many/{{counter}}', '{"n":{{counter 10 5}},"r":{{random 3 4}},"id":"{{uuid}}"}', 'JSON');
    await unfold('Repeat and fill in');
    await form.getByLabel('Every (ms)').fill('5');
    await form.getByLabel('Times').fill('4');
    await form.getByRole('button', { name: 'Start' }).click();
    await form.getByText('All 4 are published.').waitFor();
    const found = (await payloads('many/', 4)).map((text) => JSON.parse(text));
    assert.deepEqual(found.map(({ n }) => n), [10, 15, 20, 25]);
    assert.ok(found.every(({ r }) => r === 3 || r === 4));
    assert.equal(new Set(found.map(({ id }) => id)).size, 4);
    await rows('received', 'many/4').waitFor();
  });

  test('sends places as they are, if it is told to', async () => {
    await open();
    await write('plain', '{{nobody}}');
    await unfold('Repeat and fill in');
    await form.getByLabel('Fill in {{…}} in topic and payload').uncheck();
    await send();
    assert.deepEqual(await payloads('plain', 1), ['{{nobody}}']);
  });

  test('repeats without an end until it is stopped, also behind another view', async () => {
    await open();
    await write('endless', 'x');
    await unfold('Repeat and fill in');
    await form.getByLabel('Every (ms)').fill('1');
    await form.getByLabel('Times').fill('');
    await form.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('navigation').getByRole('button', { name: 'Topics' }).click();
    await page.getByRole('navigation').getByRole('button', { name: 'Messages' }).click();
    await form.getByText(/^\d+ of ∞$/).waitFor();
    await form.getByRole('button', { name: 'Stop' }).click();
    const [, stopped] = /^Stopped after ([\d,]+)\.$/.exec(await form.getByText(/^Stopped after/).textContent());
    const done = Number(stopped.replaceAll(',', ''));
    assert.ok(done > 0);
    await write('finish', 'x');
    await send();
    await rows('received', 'finish').waitFor();
    await rows('sent', 'finish').waitFor();
    const all = await page.locator('.messages-count').textContent();
    const count = Number(all.replace(/[^\d]/g, ''));
    assert.ok(count >= 2 * done + 2 && count <= 2 * (done + 1) + 2, `${count} messages after ${done}`); // one may have been under way
  });

  test('stops with the connection', async () => {
    await open();
    await write('endless', 'x');
    await form.getByLabel('QoS').selectOption('1');
    await unfold('Repeat and fill in');
    await form.getByLabel('Every (ms)').fill('1');
    await form.getByLabel('Times').fill('');
    await form.getByRole('button', { name: 'Start' }).click();
    await form.getByText(/^\d+ of ∞$/).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await form.getByText(/^Ended after [\d,]+: the next could not be published\.$/).waitFor();
  });

  test('asks, and shows the answer, or that nobody gave one in time', async () => {
    const server = await startBroker();
    const url = `ws://127.0.0.1:${server.port}/mqtt`;
    const other = await connect(server.broker, { clientId: 'answers' });
    try {
      await other.subscribe('add', async ({ properties: { responseTopic, correlationData }, payload }) => {
        const [a, b] = JSON.parse(new TextDecoder().decode(payload));
        await other.publish(responseTopic, { sum: a + b }, { properties: { correlationData, contentType: 'application/json' } });
      });
      await other.subscribe('silence', () => {});
      await open({ allowed: [url] });
      await page.getByRole('button', { name: 'New connection' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Where').selectOption('WebSocket address');
      await dialog.getByLabel('Address').fill(url);
      await dialog.getByLabel('Client Identifier').fill('asks');
      await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.locator('.card', { hasText: 'asks' }).locator('.lamp-connected').waitFor();

      await write('add', '[20, 22]', 'JSON');
      await unfold('Ask and wait for the answer');
      await form.getByRole('button', { name: 'Ask', exact: true }).click();
      const answer = form.getByRole('group', { name: 'The answer' });
      await answer.getByText(/^Answered after/).waitFor();
      assert.equal(await answer.locator('.payload-text').textContent(), '{\n  "sum": 42\n}');
      await rows('sent', 'add').waitFor();
      await rows('received', '{"sum":42}').waitFor();
      await page.screenshot({ path: `${screenshots}publish-answer.png` });

      await write('silence', 'x');
      await form.getByLabel('Wait at most (ms)').fill('50');
      await form.getByRole('button', { name: 'Ask', exact: true }).click();
      await form.getByText('No answer within 50 ms.').waitFor();

      await write('nobody/there', 'x');
      await form.getByLabel('QoS').selectOption('1');
      await form.getByLabel('Wait at most (ms)').fill('60000');
      await form.getByRole('button', { name: 'Ask', exact: true }).click();
      await form.getByText(/^The question to nobody\/there was not answered\. Nobody has subscribed to this topic\./).waitFor();
    } finally {
      await other.end();
      await server.stop();
    }
  });

  test('has no properties and asks nothing in MQTT 3.1.1', async () => {
    await open();
    await form.locator('summary').filter({ hasText: 'Properties' }).waitFor();
    await page.getByRole('button', { name: 'Settings: console' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Version').selectOption('4');
    await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.locator('.card .lamp-connected').waitFor();
    await form.locator('summary').filter({ hasText: 'Templates' }).waitFor();
    assert.equal(await form.locator('summary').filter({ hasText: /Properties|Ask/ }).count(), 0);
    await write('old', 'x');
    await send();
    await rows('sent', 'old').waitFor();
  });

  for (const [name, options] of [
    ['desktop-light', { colorScheme: 'light', viewport: { width: 1280, height: 1500 } }],
    ['desktop-dark', { colorScheme: 'dark', viewport: { width: 1280, height: 1500 } }],
    ['phone-light', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
    ['chinese', { colorScheme: 'light', viewport: { width: 1280, height: 1500 }, locale: 'zh-CN' }],
  ]) {
    test(`can be used by everybody: ${name}`, async () => {
      page = await console.open(options);
      form = page.locator('form').filter({ has: page.locator('textarea') });
      await form.locator('textarea').fill('{{counter 1}');
      for (const part of [0, 1, 2, 3]) await form.locator('summary').nth(part).click();
      await form.locator('.generators').waitFor();
      await form.locator('.reply').waitFor({ state: 'attached' });
      await form.locator('[aria-invalid]').waitFor();
      await mustBeAccessible(page);
      await form.scrollIntoViewIfNeeded();
      await form.screenshot({ path: `${screenshots}publish-${name}.png` });
    });
  }
});
