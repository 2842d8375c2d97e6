// The tree of topics: what it shows, how it is used, and what of a topic can be seen, saved and deleted.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { level, publish, quiet, saved, visit } from './parts.mjs';

describe('the topics of the console', () => {
  const console = useConsole();
  let page;

  /** A page whose sensors are quiet, with these messages, at its tree. */
  async function open(messages = [], options = {}) {
    page = await console.open(options);
    await quiet(page);
    for (const [topic, payload, others] of messages) await publish(page, topic, payload, others);
    await visit(page, 'Topics');
  }

  /** What happens to the next packet of this name on its way to the client. */
  async function goesWrong(what, packet) {
    await visit(page, 'Wire');
    const faults = page.getByRole('region', { name: 'Make it go wrong' });
    await faults.getByLabel('What', { exact: true }).selectOption(what);
    await faults.getByLabel('The next').selectOption(packet);
    await faults.getByLabel('Way').selectOption('to the client');
    await faults.getByRole('button', { name: 'Add' }).click();
    await visit(page, 'Topics');
  }

  /** The dialog that deletes what is retained at a topic and below. */
  async function deleting(topic) {
    await level(page, topic).click();
    await page.getByRole('button', { name: 'Delete retained…' }).click();
    return page.getByRole('dialog', { name: 'Delete retained messages' });
  }

  test('stand in a tree with the last value, counts and a rate, which blink when a message comes', async () => {
    page = await console.open();
    await visit(page, 'Topics');
    const temperature = level(page, 'temperature').first();
    await temperature.locator('.topic-rate', { hasText: '/s' }).waitFor();
    assert.match(await temperature.locator('.topic-value').textContent(), /^-?\d+(\.\d)?$/);
    await page.waitForFunction(() => document.getAnimations().some(({ animationName }) => animationName === 'blink'));
    const count = () => level(page, 'sensor').first().locator('.topic-count').textContent();
    const first = Number(await count());
    while (Number(await count()) <= first) await page.waitForTimeout(50);
    assert.match(await level(page, 'sensor').first().locator('.topic-topics').textContent(), /^\d topics$/);
    await page.screenshot({ path: `${screenshots}console-topics.png` });
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`can be read while they blink, also the chosen one: ${colorScheme}`, async () => {
      page = await console.open({ colorScheme });
      await visit(page, 'Topics');
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync('.blink { animation-play-state: paused; }');
        document.adoptedStyleSheets = [sheet];
      });
      await level(page, 'temperature').first().click();
      await page.getByRole('treeitem', { selected: true }).locator('.blink').waitFor();
      await mustBeAccessible(page);
    });
  }

  test('are filtered by topic, by Topic Filter and by payload', async () => {
    await open([['house/attic/gate', 'ajar'], ['house/cellar/gate', 'closed'], ['house/attic/lamp', 'AJAR']]);
    const names = () => page.getByRole('treeitem').locator('.topic-name').allTextContents();
    await page.getByLabel('Filter by topic').fill('GATE');
    await page.getByText('2 topics match.').waitFor();
    assert.deepEqual(await names(), ['house', 'attic', 'gate', 'cellar', 'gate']);
    await page.getByLabel('Filter by topic').fill('house/+/lamp');
    await page.getByText('1 topic matches.').waitFor();
    await page.getByLabel('Filter by topic').fill('');
    await page.getByLabel('Filter by last payload').fill('ajar');
    await page.getByText('2 topics match.').waitFor();
    assert.deepEqual(await names(), ['house', 'attic', 'gate', 'lamp']);
    await page.getByLabel('Filter by last payload').fill('nothing like it');
    await page.getByText('No topic matches.').waitFor();
  });

  test('fold and unfold by mouse and keyboard, as a tree does', async () => {
    await open([['a/b/c', '1'], ['a/d', '2'], ['x/y', '3']]);
    await page.getByRole('button', { name: 'Clear' }).click();
    await visit(page, 'Messages');
    for (const topic of ['a/b/c', 'a/d', 'x/y']) await publish(page, topic, 'v');
    await visit(page, 'Topics');
    const tree = page.getByRole('tree');
    const active = async () => {
      const id = await tree.getAttribute('aria-activedescendant');
      return id && (await page.locator(`[id="${id}"] .topic-name`).textContent());
    };
    const names = () => tree.getByRole('treeitem').locator('.topic-name').allTextContents();
    assert.deepEqual(await names(), ['a', 'b', 'c', 'd', 'x', 'y']);
    await level(page, 'b').locator('.twig').click();
    assert.deepEqual(await names(), ['a', 'b', 'd', 'x', 'y']);
    assert.equal(await level(page, 'b').getAttribute('aria-expanded'), 'false');

    await tree.focus();
    await page.keyboard.press('Home');
    assert.equal(await active(), 'a');
    await page.keyboard.press('ArrowRight');
    assert.equal(await active(), 'b');
    await page.keyboard.press('ArrowRight');
    assert.deepEqual(await names(), ['a', 'b', 'c', 'd', 'x', 'y']);
    await page.keyboard.press('ArrowRight');
    assert.equal(await active(), 'c');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await active(), 'b');
    await page.keyboard.press('End');
    assert.equal(await active(), 'y');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    assert.deepEqual(await names(), ['a', 'b', 'c', 'd', 'x']);
    await page.keyboard.press('d');
    assert.equal(await active(), 'd');
    const c = level(page, 'c');
    assert.deepEqual(
      await Promise.all(['aria-level', 'aria-posinset', 'aria-setsize'].map((name) => c.getAttribute(name))),
      ['3', '1', '1'],
    );
    await page.getByRole('button', { name: 'Collapse all' }).click();
    assert.deepEqual(await names(), ['a', 'x']);
    await page.getByRole('button', { name: 'Expand all' }).click();
    assert.equal((await names()).length, 6);
  });

  test('show of a chosen one the value, the history, what changed, and numbers at a path as a line', async () => {
    const values = [20, 21.5, 19].map((celsius, index) => JSON.stringify({ celsius, inside: { humidity: 40 + index } }));
    await open(values.map((value) => ['room', value]));
    await level(page, 'room').click();
    const detail = page.getByRole('group', { name: 'The chosen topic' });
    assert.equal(await detail.locator('.payload-text').textContent(), '{\n  "celsius": 19,\n  "inside": {\n    "humidity": 42\n  }\n}');

    const plot = detail.getByRole('img');
    await plot.locator('canvas').waitFor();
    assert.equal(await plot.getAttribute('aria-label'), 'room $.celsius: 3 points from 19 to 21.5, the last one 19');
    assert.ok(await plot.locator('canvas').evaluate(hasInk));
    await detail.getByLabel('Number to plot').selectOption('$.inside.humidity');
    await detail.getByRole('img', { name: 'room $.inside.humidity: 3 points from 40 to 42, the last one 42' }).waitFor();
    await detail.getByLabel('Number to plot').selectOption('other path…');
    await detail.getByLabel('Path', { exact: true }).fill('$.');
    await detail.getByText('A path looks like').waitFor();
    await detail.getByLabel('Path', { exact: true }).fill('$.missing');
    await detail.getByText('3 messages have no number there').waitFor();

    await detail.getByRole('button', { name: 'Changes' }).click();
    await detail.locator('del').first().waitFor();
    assert.deepEqual(await detail.locator('del').allTextContents(), ['  "celsius": 21.5,\n', '    "humidity": 41\n']);
    assert.deepEqual(await detail.locator('ins').allTextContents(), ['  "celsius": 19,\n', '    "humidity": 42\n']);
    await detail.getByRole('button', { name: 'Changes' }).click();

    const history = detail.getByRole('listbox', { name: 'History' });
    assert.equal(await history.getByRole('option').count(), 3);
    await history.getByRole('option').last().click();
    await detail.getByText('This is an earlier message.').waitFor();
    assert.match(await detail.locator('.payload-text').textContent(), /"celsius": 20,/);
    await detail.getByRole('button', { name: 'Show the latest' }).click();
    assert.match(await detail.locator('.payload-text').textContent(), /"celsius": 19,/);
  });

  test('say how far a number moved', async () => {
    await open([['n', '20'], ['n', '18.5']]);
    await level(page, 'n').click();
    await page.getByRole('button', { name: 'Changes' }).click();
    await page.getByText('-1.5 since the message before:').waitFor();
  });

  test('copy and save a payload and a topic, byte by byte', async () => {
    await open([['a/ü b', '{"x":1.0}']], { permissions: ['clipboard-read', 'clipboard-write'] });
    await level(page, 'ü b').click();
    const detail = page.getByRole('group', { name: 'The chosen topic' });
    await detail.getByRole('button', { name: 'Copy', exact: true }).click();
    await detail.getByText('Copied').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), '{\n  "x": 1.0\n}');
    await detail.getByRole('button', { name: 'Copy topic' }).click();
    await page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'a/ü b');
    const file = await saved(page, () => detail.getByRole('button', { name: 'Save' }).click());
    assert.equal(file.name, 'a-ü-b.json');
    assert.equal(await readFile(file.path, 'utf8'), '{"x":1.0}');
  });

  test('delete what the broker keeps below a topic, after a look at it, and put it back', async () => {
    await open([
      ['house/attic', 'warm', { retain: true, qos: '2' }],
      ['house/cellar', 'cold', { retain: true }],
      ['house', 'home', { retain: true }],
      ['garden', 'green', { retain: true }],
    ]);
    await level(page, 'house').click();
    const detail = page.getByRole('group', { name: 'The chosen topic' });
    await detail.getByRole('button', { name: 'Delete retained…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete retained messages' });
    await dialog.getByText('The broker keeps 3 messages here.').waitFor();
    assert.deepEqual(await dialog.getByRole('listitem').locator('code').allTextContents(), ['house', 'house/attic', 'house/cellar']);
    await mustBeAccessible(page);
    await dialog.getByLabel('Also of all topics below it').uncheck();
    await dialog.getByText('The broker keeps 1 message here.').waitFor();
    await dialog.getByLabel('Also of all topics below it').check();
    await dialog.getByRole('button', { name: 'Delete 3 messages' }).click();
    await dialog.getByText('3 messages are deleted.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await detail.getByRole('button', { name: 'Delete retained…' }).click();
    await dialog.getByText('The broker keeps no message here.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    await visit(page, 'Messages');
    await publish(page, 'house/attic', 'cool', { retain: true });
    await visit(page, 'Topics');
    await detail.getByRole('button', { name: 'Delete retained…' }).click();
    await dialog.getByRole('button', { name: 'Delete 1 message' }).click();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await dialog.getByText('1 message is back.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await level(page, 'attic').locator('.badge-retain').waitFor();
    await detail.getByRole('button', { name: 'Delete retained…' }).click();
    await dialog.getByRole('listitem').filter({ hasText: 'house/attic' }).getByText('cool').waitFor();
  });

  test('are put back when nobody said that they were deleted, as often as it takes', async () => {
    await open([
      ['house/attic', 'warm', { retain: true, qos: '2' }],
      ['house/cellar', 'cold', { retain: true }],
      ['house', 'home', { retain: true }],
    ]);
    await page.getByRole('button', { name: 'Settings: console' }).click();
    await page.getByRole('dialog').getByLabel('Connect again by itself').uncheck();
    await page.getByRole('dialog').getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator('.card .lamp-connected').waitFor();
    await goesWrong('cut at', 'PUBACK');
    await goesWrong('cut at', 'PUBREC');
    const dialog = await deleting('house');
    await dialog.getByRole('button', { name: 'Delete 3 messages' }).click();
    await dialog.getByText('0 messages are deleted.').waitFor();
    await dialog.getByText('For 3 topics it could not be done, or was not confirmed:').waitFor();
    await page.locator('.card .lamp-disconnected').waitFor();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await dialog.getByText('2 messages are back.').waitFor();
    assert.deepEqual(await dialog.getByRole('listitem').locator('code').allTextContents(), ['house/attic']);
    await page.locator('.card .lamp-disconnected').waitFor();
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.getByText('3 messages are back.').waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Try again' }).count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Delete retained…' }).click();
    await dialog.getByText('The broker keeps 3 messages here.').waitFor();
  });

  test('are deleted until Escape ends that, which can be undone too', async () => {
    await open([['house', 'home', { retain: true }]]);
    await goesWrong('lose', 'PUBACK');
    const dialog = await deleting('house');
    await dialog.getByRole('button', { name: 'Delete 1 message' }).click();
    await dialog.getByText('Under way…').waitFor();
    await dialog.getByRole('button', { name: 'Stop' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByText('For 1 topic it could not be done, or was not confirmed:').waitFor();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await dialog.getByText('1 message is back.').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  test('show all of a large payload, and say so while they do not', async () => {
    const large = 'begin '.padEnd(200_000, 'x') + ' end';
    await open([['large', large]]);
    await level(page, 'large').getByText('bytes').waitFor();
    await level(page, 'large').click();
    const detail = page.getByRole('group', { name: 'The chosen topic' });
    await detail.getByText('The first part of 200,004 characters: 150,004 more are not shown.').waitFor();
    await detail.getByRole('button', { name: 'Show all' }).click();
    assert.equal(await detail.locator('.payload-text').textContent(), large);
  });

  test('read a large payload once, however often they are drawn again', async () => {
    page = await console.open();
    await publish(page, 'large', JSON.stringify({ n: 1, text: 'x'.repeat(100_000) }));
    await page.evaluate(() => {
      const { parse } = JSON;
      globalThis.readings = 0;
      JSON.parse = (text) => {
        if (text.length > 100_000) globalThis.readings += 1;
        return parse(text);
      };
    });
    const readings = () => page.evaluate('globalThis.readings');
    const waitForMore = async (count) => {
      const first = Number(await count());
      while (Number(await count()) < first + 5) await page.waitForTimeout(50);
    };
    await page.getByLabel('Search topics and payloads').fill('"text"'); // what the sensors say moves it out of sight
    await page.getByRole('option').filter({ hasText: 'received' }).filter({ hasText: 'large' }).click();
    await page.getByRole('group', { name: 'The chosen message' }).locator('pre').waitFor();
    const once = await readings();
    await page.getByLabel('Search topics and payloads').fill('');
    await waitForMore(() => page.getByRole('listbox', { name: 'Messages of' }).getByRole('option').first().getAttribute('aria-setsize'));
    assert.equal(await readings(), once);

    await visit(page, 'Topics');
    await level(page, 'large').click();
    await page.getByRole('group', { name: 'The chosen topic' }).locator('pre').waitFor();
    const twice = await readings();
    await waitForMore(() => level(page, 'sensor').first().locator('.topic-count').textContent());
    assert.equal(await readings(), twice);
  });

  test('show markup in topics and payloads as text', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await open([['<b>x<\/b>/<script>document.title=3</script>', markup], ['<b>x<\/b>/<script>document.title=3</script>', `{"<img src=x onerror=document.title=4>":1,"b":2}`]]);
    await level(page, 'script>').click();
    const detail = page.getByRole('group', { name: 'The chosen topic' });
    await detail.getByText('document.title=4').first().waitFor();
    await detail.locator('canvas').waitFor();
    await detail.getByRole('button', { name: 'Changes' }).click();
    await detail.locator('ins').first().waitFor();
    await detail.getByRole('listbox').getByText(markup).waitFor();
    await detail.getByRole('button', { name: 'Delete retained…' }).click();
    await page.getByRole('dialog').getByText('keeps no message').waitFor();
    assert.equal(await page.locator(':is(main, dialog) :is(script, b, img)').count(), 0);
    assert.equal(await page.title(), 'MQlite');
  });

  const phone = { width: 390, height: 800 };
  for (const [name, options] of [
    ['a desktop in light', { colorScheme: 'light' }],
    ['a desktop in dark', { colorScheme: 'dark' }],
    ['a phone in dark', { colorScheme: 'dark', viewport: phone }],
    ['a desktop in Chinese', { colorScheme: 'light' }],
    ['a phone in dark, in Chinese', { colorScheme: 'dark', viewport: phone }],
  ]) {
    test(`can be used by everybody on ${name}`, async () => {
      await open([['room/lamp', '{"power":3}'], ['room/lamp', '{"power":4}', { retain: true }]], options);
      if (name.endsWith('Chinese')) {
        await page.getByRole('button', { name: '切换到中文' }).click();
        await page.getByRole('heading', { name: '主题', exact: true }).first().waitFor();
      }
      await mustBeAccessible(page);
      await level(page, 'lamp').click();
      await page.locator('canvas').waitFor();
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}console-topic-${name.replace(/\W+/g, '-')}.png` });
      await page.locator('.topic-actions .danger').click();
      await page.getByRole('dialog').getByRole('listitem').filter({ hasText: 'room/lamp' }).waitFor();
      await mustBeAccessible(page);
      await page.keyboard.press('Escape');
      if (!options.viewport) return;
      await page.locator('.topic-back').click();
      await page.getByRole('tree').waitFor();
    });
  }
});

/** Whether anything was drawn. */
function hasInk(canvas) {
  return canvas
    .getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height)
    .data.some((byte) => byte !== 0);
}
