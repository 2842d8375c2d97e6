// Every dialog by the keyboard alone: Tab stays in it and comes to all that is there, Escape closes it, and whoever opened it has the
// focus again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useConsole } from './console.mjs';
import { level, publish, quiet, visit } from './parts.mjs';

describe('a dialog by the keyboard', () => {
  const console = useConsole();
  let page;

  async function open() {
    page = await console.open({ viewport: { width: 1440, height: 900 } });
    await quiet(page);
  }

  /** Presses the opener by Enter. The dialog, which has the focus. */
  async function unlock(opener) {
    await opener.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    assert.equal((await focus()).place, 'in the dialog');
    return dialog;
  }

  /** What has the focus: its number among all that can have it in the dialog, and where that is. */
  function focus() {
    return page.evaluate(focused);
  }

  /** Goes round by this key, from where the focus is to where it is for the second time. The numbers that it came to. */
  async function round(key) {
    const seen = [];
    for (;;) {
      const { number, place } = await focus();
      assert.notEqual(place, 'on the page', `after ${seen}`);
      if (seen.includes(number)) return seen.filter((each) => each >= 0).sort((one, other) => one - other);
      seen.push(number);
      await page.keyboard.press(key);
    }
  }

  /** Tab comes to all that is in the dialog, both ways; Escape closes it, and gives the focus back. */
  async function walk(dialog, opener) {
    const all = await page.evaluate(`(${tabStops})().map((_, number) => number)`);
    assert.ok(all.length > 1);
    assert.deepEqual(await round('Tab'), all);
    assert.deepEqual(await round('Shift+Tab'), all);
    await leave(dialog, opener);
  }

  async function leave(dialog, opener) {
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.ok(await opener.evaluate((element) => element === document.activeElement), 'the focus is not where it was');
  }

  test('for a new connection, also with all its sections unfolded', async () => {
    await open();
    const opener = page.getByRole('button', { name: 'New connection' });
    await walk(await unlock(opener), opener);
    const dialog = await unlock(opener);
    for (const summary of await dialog.locator('summary').all()) await summary.press('Enter');
    await dialog.getByLabel('Where').selectOption('WebSocket address');
    await dialog.getByRole('button', { name: 'Connect', exact: true }).press('Enter');
    await dialog.getByRole('status').filter({ hasText: 'Look at what is marked' }).waitFor();
    assert.ok(await dialog.getByLabel('Address').evaluate((element) => element === document.activeElement), 'what is wrong has no focus');
    await walk(dialog, opener);
  });

  test('for the settings of a connection', async () => {
    await open();
    const opener = page.locator('.card-selected').getByRole('button', { name: /: console$/ });
    await walk(await unlock(opener), opener);
  });

  for (const name of ['Publish', 'Subscribe']) {
    test(`for the code of what is said to ${name.toLowerCase()}`, async () => {
      await open();
      const form = page.getByRole('form', { name });
      await form.getByLabel(name === 'Publish' ? 'Topic' : 'Topic filter', { exact: true }).fill('a/b');
      const opener = form.getByRole('button', { name: 'Code', exact: true });
      await walk(await unlock(opener), opener);
    });
  }

  test('for what is retained, before it is deleted and afterwards', async () => {
    await open();
    await publish(page, 'attic/lamp', 'on', { qos: '1', retain: true });
    await visit(page, 'Topics');
    await level(page, 'attic').click();
    const opener = page.getByRole('button', { name: 'Delete retained…' });
    let dialog = await unlock(opener);
    await dialog.getByText('keeps 1 message').waitFor();
    await walk(dialog, opener);

    dialog = await unlock(opener);
    await dialog.getByRole('button', { name: 'Delete 1 message' }).press('Enter');
    await dialog.getByRole('button', { name: 'Undo' }).waitFor();
    await page.keyboard.press('Tab');
    await walk(dialog, opener);
  });
});

/** All in the dialog that Tab comes to. */
function tabStops() {
  const candidates = document.querySelectorAll('dialog :is(a[href], button, input, select, textarea, summary, [tabindex="0"])');
  return [...candidates].filter((element) => !element.disabled && element.tabIndex === 0 && element.checkVisibility());
}

/** The browser's own controls come after the last one, and before the first: then the page has nothing. */
const focused = `(() => {
  const { activeElement } = document;
  const number = (${tabStops})().indexOf(activeElement);
  const isNowhere = !activeElement || activeElement === document.body;
  return { number, place: activeElement?.closest('dialog') ? 'in the dialog' : isNowhere ? 'nowhere' : 'on the page' };
})()`;
