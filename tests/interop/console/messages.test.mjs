// The list of messages: what a row shows, pause, search, formats, properties and files.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { mustBeAccessible, useConsole } from './console.mjs';
import { level, publish, quiet, saved, visit } from './parts.mjs';

describe('the messages of the console', () => {
  const console = useConsole();
  let page;

  async function open(messages = [], options = {}) {
    page = await console.open(options);
    await quiet(page);
    await page.getByRole('button', { name: 'Clear' }).click();
    for (const [topic, payload, others] of messages) await publish(page, topic, payload, others);
  }

  function rows(text) {
    return page.getByRole('listbox', { name: 'Messages of console' }).getByRole('option').filter({ hasText: text });
  }

  async function subscribe(filter) {
    const form = page.getByRole('form', { name: 'Subscribe' });
    await form.getByLabel('Topic filter').fill(filter);
    await form.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('button', { name: `Unsubscribe from ${filter}` }).waitFor();
  }

  test('have their payload below the topic on a phone, whole in width', async () => {
    await open([['a/topic/of/some/length/indeed', '{"power":453}']], { viewport: { width: 390, height: 844 } });
    const row = rows('a/topic').last();
    const [topic, payload] = await Promise.all(['.topic', '.message-payload'].map((part) => row.locator(part).boundingBox()));
    assert.ok(payload.y >= topic.y + topic.height / 2 && payload.width > 300, JSON.stringify({ topic, payload }));
  });

  test('leave the other views within reach on a phone while one is chosen', async () => {
    await open([['a/b', 'x']], { viewport: { width: 390, height: 844 } });
    await rows('a/b').last().click();
    await page.getByRole('group', { name: 'The chosen message' }).waitFor();
    await visit(page, 'Topics');
    await level(page, 'a').waitFor();
  });

  test('have the colour of the subscription that they came by', async () => {
    await open();
    await page.getByRole('button', { name: 'Unsubscribe from #' }).click();
    await page.getByRole('button', { name: 'Unsubscribe from #' }).waitFor({ state: 'detached' });
    await subscribe('red/+');
    await subscribe('blue/#');
    for (const topic of ['red/1', 'blue/1', 'blue/2']) await publish(page, topic, 'x');
    await rows('blue/2').filter({ hasText: 'received' }).waitFor();
    const colour = async (topic) => rows(topic).filter({ hasText: 'received' }).evaluate((row) => getComputedStyle(row).borderInlineStartColor);
    const [red, blue, alsoBlue] = await Promise.all(['red/1', 'blue/1', 'blue/2'].map(colour));
    assert.notEqual(red, blue);
    assert.equal(blue, alsoBlue);
    await page.getByTitle('by the subscription blue/#').first().waitFor();
  });

  test('stand still while they are paused, and none is lost', async () => {
    await open([['before', 'x']]);
    await page.getByRole('button', { name: 'Pause' }).click();
    const form = page.getByRole('form', { name: 'Publish' });
    await form.getByLabel('Topic').fill('meanwhile');
    await form.getByRole('button', { name: 'Publish' }).click();
    await page.getByText('Paused: 2 more have come.').waitFor();
    assert.equal(await rows('meanwhile').count(), 0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await rows('meanwhile').first().waitFor();
    assert.equal(await rows('meanwhile').count(), 2);
  });

  test('follow no more what comes once the reader has drawn them away, however slowly', async () => {
    const many = Array.from({ length: 12 }, (_, index) => [`a/${index}`, 'x']);
    await open(many, { viewport: { width: 1280, height: 640 } });
    const list = page.getByRole('listbox', { name: 'Messages of console' });
    const below = () => list.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
    assert.ok((await below()) < 1);
    await list.evaluate(async (scroller) => {
      // As where a browser scrolls by fractions of a pixel.
      let { scrollTop } = scroller;
      Object.defineProperty(scroller, 'scrollTop', { configurable: true, get: () => scrollTop, set: (value) => (scrollTop = value) });
      for (let step = 0; step < 60; step += 1) {
        scrollTop -= 0.5;
        scroller.dispatchEvent(new Event('scroll'));
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      delete scroller.scrollTop;
      scroller.scrollTop = scrollTop;
    });
    const away = await below();
    assert.ok(away > 25 && away < 35, `${away}`);
    await publish(page, 'a/later', 'x');
    await page.getByText('26 messages').waitFor();
    assert.equal(await below(), away + 2 * 28);
    await list.evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
    await publish(page, 'a/last', 'x');
    await page.getByText('28 messages').waitFor();
    assert.ok((await below()) < 1);
  });

  test('are searched by text, by Topic Filter and by direction', async () => {
    await open([['a/1', 'Alpha'], ['a/2', 'beta'], ['b/1', 'alphabet']]);
    await rows('alphabet').nth(1).waitFor();
    const search = page.getByLabel('Search topics and payloads');
    await search.fill('ALPHA');
    await page.getByText('4 of 6 match.').waitFor();
    assert.equal(await rows('beta').count(), 0);
    await page.getByLabel('Direction').selectOption('Sent');
    await page.getByText('2 of 6 match.').waitFor();
    await search.fill('a/+');
    await page.getByText('2 of 6 match.').waitFor();
    assert.equal(await rows('a/').count(), 2);
    await search.fill('nothing');
    await page.getByText('0 of 6 match.').waitFor();
    await search.fill('');
    await page.getByLabel('Direction').selectOption('Both ways');
    assert.equal(await rows('').count(), 6);
  });

  test('are shown whole in the format that is chosen, and what is not in it stays readable', async () => {
    await open([['json', '{"b":[1,2.50]}']]);
    await rows('json').first().click();
    const detail = page.getByRole('group', { name: 'The chosen message' });
    const text = () => detail.locator('.payload-text').textContent();
    assert.equal(await text(), '{\n  "b": [\n    1,\n    2.50\n  ]\n}');
    const format = detail.getByLabel('Format');
    await format.selectOption('Hex');
    assert.equal(await text(), '00000000  7b 22 62 22 3a 5b 31 2c 32 2e 35 30 5d 7d        {"b":[1,2.50]}');
    await format.selectOption('Base64');
    assert.equal(await text(), 'eyJiIjpbMSwyLjUwXX0=');
    await format.selectOption('Text');
    assert.equal(await text(), '{"b":[1,2.50]}');
    for (const other of ['CBOR', 'MessagePack']) {
      await format.selectOption(other);
      await detail.getByText(`This payload is no ${other}; it is shown as Hex.`).waitFor();
    }
    await detail.getByRole('button', { name: 'Close the message' }).click();
    await detail.waitFor({ state: 'detached' });
  });

  test('are chosen by the keyboard, which stays where it is as more come', async () => {
    await open([['k/1', '1'], ['k/2', '2']]);
    const list = page.getByRole('listbox', { name: 'Messages of console' });
    await list.focus();
    await page.keyboard.press('Home');
    const detail = page.getByRole('group', { name: 'The chosen message' });
    await detail.getByRole('heading', { name: 'k/1' }).waitFor();
    await page.keyboard.press('End');
    await detail.getByRole('heading', { name: 'k/2' }).waitFor();
    await publish(page, 'k/3', '3');
    await detail.getByRole('heading', { name: 'k/2' }).waitFor();
    await list.focus();
    await page.keyboard.press('Escape');
    await detail.waitFor({ state: 'detached' });
  });

  test('are saved as CSV and as NDJSON: those that the search lists, with all of their payloads', async () => {
    await open([['keep/1', 'x'.repeat(5_000)], ['keep/2', '=1+1'], ['drop', 'y']]);
    await page.getByLabel('Search topics and payloads').fill('keep/#');
    await page.getByLabel('Direction').selectOption('Sent');
    await page.getByText('2 of 6 match.').waitFor();
    const csv = await saved(page, () => page.getByRole('button', { name: 'CSV' }).click());
    assert.equal(csv.name, 'console.csv');
    const table = (await readFile(csv.path, 'utf8')).split('\r\n');
    assert.equal(table.length, 4);
    assert.ok(table[1].includes('x'.repeat(5_000)));
    assert.ok(table[2].includes(",escaped text,'=1+1,"));
    const ndjson = await saved(page, () => page.getByRole('button', { name: 'NDJSON' }).click());
    const messages = (await readFile(ndjson.path, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(messages.map(({ topic, direction }) => [topic, direction]), [['keep/1', 'sent'], ['keep/2', 'sent']]);
    assert.equal(messages[0].payload.length, 5_000);
  });

  test('are all saved that were listed, also those that are cleared before the file is whole', async () => {
    await open();
    const form = page.getByRole('form', { name: 'Publish' });
    await form.getByLabel('Topic', { exact: true }).fill('many');
    await form.getByText('Repeat and fill in', { exact: true }).click();
    await form.getByLabel('Every (ms)').fill('1');
    await form.getByLabel('Times').fill('700');
    await form.getByRole('button', { name: 'Start' }).click();
    await page.getByText('1,400 messages', { exact: true }).waitFor();
    const csv = await saved(page, () => page.evaluate(() => {
      const click = (name) => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name).click();
      click('CSV');
      click('Clear');
    }));
    assert.equal((await readFile(csv.path, 'utf8')).split('\r\n').length, 1_402);
  });

  test('say in the list how much of a payload is not on the row', async () => {
    await open([['long', 'x'.repeat(1_000)]]);
    await rows('long').first().getByText('… +840 bytes').waitFor();
  });

  test('show markup in topics and payloads as text, in rows and whole', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await open([['<b>topic<\/b>', markup]]);
    await rows(markup).first().click();
    const detail = page.getByRole('group', { name: 'The chosen message' });
    assert.equal(await detail.locator('.payload-text').textContent(), markup);
    await page.getByLabel('Search topics and payloads').fill('<b>');
    await page.getByText('2 of 2 match.').waitFor();
    assert.equal(await page.locator('main :is(img, script, b)').count(), 0);
    assert.equal(await page.title(), 'MQlite');
  });

  for (const [name, options] of [
    ['a desktop in dark', { colorScheme: 'dark' }],
    ['a phone in light', { colorScheme: 'light', viewport: { width: 390, height: 800 } }],
  ]) {
    test(`can be used by everybody on ${name}`, async () => {
      await open([['room/lamp', '{"power":3}', { retain: true, qos: '1' }]], options);
      await mustBeAccessible(page);
      await rows('lamp').last().click();
      await page.getByRole('group', { name: 'The chosen message' }).waitFor();
      await mustBeAccessible(page);
    });
  }
});
