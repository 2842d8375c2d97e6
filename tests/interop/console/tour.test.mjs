// The tour: offered at the first visit, each lesson done in the broker of the page, in both languages, and where it was left.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mustBeAccessible, screenshots, useConsole } from './console.mjs';
import { visit } from './parts.mjs';

describe('the tour', () => {
  const console = useConsole();
  let page;

  async function open(options) {
    page = await console.open(options);
  }

  const offer = () => page.getByRole('main').getByRole('region', { name: 'Tour', exact: true });
  const lesson = (title) => page.getByRole('article', { name: title });
  const lessons = () => page.getByRole('region', { name: 'Lessons' }).getByRole('button');
  const packets = () => page.getByRole('region', { name: 'What passed between the clients and the broker' });
  const packet = (text) => packets().getByRole('listitem').filter({ hasText: text });
  const noticed = () => page.getByRole('region', { name: 'What to notice' });

  /** Goes on to a lesson, does it, and waits for its end. */
  async function take(title, action) {
    await lesson(title).getByRole('button', { name: action }).click();
    await noticed().getByText('Done. What to notice:').waitFor();
    assert.ok((await noticed().getByRole('listitem').count()) >= 2);
  }

  async function next(title) {
    await noticed().getByRole('button', { name: `Next: ${title}` }).click();
    await page.getByRole('heading', { name: title, exact: true }).waitFor();
  }

  test('is offered beside messages that come already, and not when it is not wanted', async () => {
    await open();
    await page.getByRole('listbox').getByText('sensor/10/temperature', { exact: true }).first().waitFor();
    await offer().getByText('9 small lessons show how it works').waitFor();
    await page.screenshot({ path: `${screenshots}first-visit.png` });
    await offer().getByRole('button', { name: 'Not now' }).click();
    await offer().waitFor({ state: 'detached' });
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    assert.equal(await offer().count(), 0);
    await visit(page, 'Tour');
    await lesson('Client and broker').waitFor();
  });

  test('does each of its lessons, and says what came out', async () => {
    await open({ viewport: { width: 1440, height: 900 } });
    await offer().getByRole('button', { name: 'Take the tour' }).click();

    await take('Client and broker', 'Connect a phone');
    await packet('CONNECT from tour-phone to Broker').first().waitFor();
    await packet('CONNACK from Broker to tour-phone').waitFor();
    await packet('DISCONNECT from tour-phone to Broker').waitFor();
    await noticed().getByText('With the phone the broker had 7 clients.').waitFor();

    await next('Topics');
    await take('Topics', 'Subscribe a lamp, press the switch');
    await noticed().getByText('The switch published 3 messages, and the lamp got 2').waitFor();
    assert.deepEqual(await messages(), [['tour/kitchen/lamp', 'on'], ['tour/kitchen/lamp', 'off']]);

    await next('Wildcards');
    await take('Wildcards', 'Subscribe to sensor/+/temperature and sensor/10/#');
    await packet(/SUBSCRIBE from tour-dashboard to Broker.*sensor\/\+\/temperature/).waitFor();
    await noticed().getByText('sensor/10/# brought all that sensor 10 says: 3 topics.').waitFor();

    await next('QoS 0: at most once');
    await take('QoS 0: at most once', 'Publish three, lose one');
    await packet(/PUBLISH from tour-sensor to Broker.*lost/).waitFor();
    await noticed().getByText('Of 3 messages 2 arrived.').waitFor();

    await next('QoS 1: at least once');
    await take('QoS 1: at least once', 'Publish one, lose its PUBACK');
    await packet(/PUBLISH from tour-sensor to Broker.*#1.*DUP/).waitFor();
    await noticed().getByText('The phone got hello 2 times.').waitFor();
    assert.deepEqual(await messages(), [['tour/reading', 'hello'], ['tour/reading', 'hello'], ['tour/reading', 'bye']]);

    await next('QoS 2: exactly once');
    await take('QoS 2: exactly once', 'Publish one, lose its PUBREC');
    await packet(/PUBLISH from tour-sensor to Broker.*#1.*DUP/).waitFor();
    await noticed().getByText('Copies of hello that the phone got: 1.').waitFor();
    await page.screenshot({ path: `${screenshots}tour.png` });

    await next('Retained messages');
    await take('Retained messages', 'Publish, leave, then subscribe');
    await packet(/PUBLISH from Broker to tour-phone.*RETAIN/).waitFor();
    await noticed().getByText('kept before 1, after 0.').waitFor();
    assert.deepEqual(await messages(), [['tour/door', 'open'], ['tour/door', '(empty)']]);

    await next('The will');
    await take('The will', 'Cut the heater’s connection');
    await packet('The connection of tour-heater to Broker was cut').waitFor();
    assert.deepEqual(await messages(), [['tour/heater/status', 'online'], ['tour/heater/status', 'offline']]);

    await next('Persistent sessions');
    await take('Persistent sessions', 'Leave, miss two alarms, come back');
    await packet(/CONNACK from Broker to tour-phone, Session Present/).waitFor();
    await noticed().getByText('the broker kept 2 messages for it. When it came back, it got 2.').waitFor();

    await noticed().getByRole('button', { name: 'Finish' }).click();
    const end = lesson('That is MQTT');
    await end.getByRole('button', { name: 'Connect to a broker of your own' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
    await end.getByRole('button', { name: 'Subscribe and publish yourself' }).click();
    await page.getByRole('listbox').waitFor();
    assert.equal(await offer().count(), 0);
  });

  /** Topic and payload of each message that came. */
  async function messages() {
    const lines = packets().locator('.tour-messages li');
    return Promise.all((await lines.all()).map((line) => Promise.all([line.locator('.topic').textContent(), line.locator('.tour-payload').textContent()])));
  }

  test('goes on where it was left, with what was done', async () => {
    await open();
    await offer().getByRole('button', { name: 'Take the tour' }).click();
    await take('Client and broker', 'Connect a phone');
    await next('Topics');
    await visit(page, 'Messages');
    await page.reload();
    await page.locator('.card .lamp-connected').first().waitFor();
    await offer().getByText('You are at lesson 2 of 9.').waitFor();
    await offer().getByRole('button', { name: 'Go on with the tour' }).click();
    await lesson('Topics').waitFor();
    assert.match(await lessons().nth(0).textContent(), /done$/);
    assert.equal(await lessons().nth(1).getAttribute('aria-current'), 'step');
  });

  test('is taken with the keyboard alone', async () => {
    await open();
    await offer().getByRole('button', { name: 'Take the tour' }).press('Enter');
    const focused = () => page.locator(':focus');
    await lesson('Client and broker').getByRole('button', { name: 'Connect a phone' }).waitFor();
    await focused().and(page.getByRole('heading', { name: 'Client and broker' })).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await noticed().getByText('Done. What to notice:').waitFor();
    await focused().and(page.getByRole('button', { name: 'Do it again' })).waitFor();
    await noticed().getByRole('button', { name: 'Next: Topics' }).press('Enter');
    await focused().and(page.getByRole('heading', { name: 'Topics' })).waitFor();
  });

  test('leads to its packets on the wire', async () => {
    await open({ viewport: { width: 1440, height: 900 } });
    await visit(page, 'Tour');
    await take('Client and broker', 'Connect a phone');
    await packets().getByRole('button', { name: 'Look at these packets byte by byte' }).click();
    await page.getByRole('region', { name: 'Packet', exact: true }).getByRole('heading', { name: 'CONNECT', exact: true }).waitFor();
    const rows = page.getByRole('listbox', { name: 'Packets' }).getByRole('option');
    await rows.filter({ hasText: 'CONNACK from Broker to tour-phone' }).waitFor();
    assert.equal(await rows.filter({ hasText: 'console' }).count(), 0);
  });

  test('is taken in Chinese', async () => {
    await open({ locale: 'zh-CN' });
    await page.getByRole('button', { name: '开始导览' }).click();
    await page.getByRole('button', { name: 'QoS 0：至多一次' }).click();
    await page.getByRole('button', { name: '发布三条，丢失一条' }).click();
    await page.getByText('3 条消息到达了 2 条。').waitFor();
    await mustBeAccessible(page);
  });

  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ]) {
    test(`is accessible and fits its window: ${name}`, async () => {
      await open(options);
      await mustBeAccessible(page);
      await visit(page, 'Tour');
      await take('Client and broker', 'Connect a phone');
      await mustBeAccessible(page);
      await page.screenshot({ path: `${screenshots}tour-${name}.png` });
    });
  }
});
