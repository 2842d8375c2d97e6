// Messages at a constant rate into the console, from a broker in this process over WebSocket: how long the page's main thread was
// busy at a stretch, how much heap it took, and how far it was behind: the buffers of a WebSocket hold 100,000 such messages, which
// the broker has sent and the page has yet to see. `node console/message-load.mjs`; RATE a second (5000), MESSAGES of each row
// (100000), TOPICS (1000), SLOWER than this machine by so many times (1). It prints figures, and fails only when a message is missing.
import assert from 'node:assert/strict';
import { startBroker } from '../peers.mjs';
import { Console } from './console.mjs';
import { visit } from './parts.mjs';

const { RATE = 5_000, MESSAGES = 100_000, TOPICS = 1_000, SLOWER = 1 } = process.env;
const period = 20;

const peer = await startBroker();
const tool = await Console.start();
try {
  const url = `ws://127.0.0.1:${peer.port}/mqtt`;
  const { page, complaints } = await tool.open({ allowed: [url], hash: link(url) });
  await page.getByRole('dialog').getByRole('button', { name: 'Connect', exact: true }).click();
  await page.locator('.card', { hasText: 'load' }).locator('.lamp-connected').waitFor();
  await page.getByRole('button', { name: 'Sensors' }).click();
  await page.evaluate(observe);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: Number(SLOWER) });

  const rows = [];
  for (const [view, what] of [
    ['Messages', 'the list, until the ring is full'],
    ['Topics', 'the tree'],
    ['Messages', 'the list, the ring being full'],
    ['Topics', 'the tree, the ring being full'],
  ]) {
    await visit(page, view);
    await page.evaluate('globalThis.longTasks.length = 0');
    const seconds = await feed(Number(MESSAGES));
    const behind = await catchUp(page);
    const tasks = await page.evaluate('globalThis.longTasks');
    rows.push({
      what,
      'messages/s': Math.round(MESSAGES / seconds),
      'behind at the end': behind,
      'tasks over 50 ms': tasks.length,
      'longest (ms)': Math.max(0, ...tasks),
      'heap (MB)': await heap(cdp),
    });
  }
  console.table(rows);

  await visit(page, 'Messages');
  const { messagesSent, messagesDropped } = peer.broker.statistics();
  assert.equal(messagesSent + messagesDropped, 4 * MESSAGES);
  if (messagesDropped > 0) console.log(`The broker dropped ${messagesDropped} messages for a page that was behind.`);
  const count = messagesSent.toLocaleString('en');
  await page.locator('.messages-count').getByText(`${count} messages`, { exact: true }).waitFor();
  await visit(page, 'Topics');
  await page.getByText(`${Number(TOPICS).toLocaleString('en')} topics, ${count} messages`).waitFor();
  assert.deepEqual(complaints, []);
} finally {
  await tool.stop();
  await peer.stop();
}

/** Publishes so many messages at the rate. Seconds that it took. */
async function feed(count) {
  const start = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1_000) * RATE));
    for (; sent < due; sent += 1) {
      const sensor = sent % TOPICS;
      const payload = JSON.stringify({ temperature: 20 + (sent % 100) / 10, humidity: sensor % 100, sequence: sent });
      await peer.broker.publish(`plant/${sensor % 10}/machine/${sensor}`, payload);
    }
    await new Promise((resolve) => setTimeout(resolve, period));
  }
  return (performance.now() - start) / 1_000;
}

/** Waits until the page has seen all that was sent, as long as it sees more of it. How many it had yet to see at first. */
async function catchUp(page) {
  const { messagesSent } = peer.broker.statistics();
  let seen = await seenBy(page);
  const behind = messagesSent - seen;
  for (let looks = 0; seen < messagesSent; looks += 1) {
    assert.ok(looks < 60, `The page has seen ${seen} of ${messagesSent} messages, and sees no more.`);
    await page.waitForTimeout(500);
    const now = await seenBy(page);
    if (now > seen) [seen, looks] = [now, 0];
  }
  return behind;
}

/** How many messages the view says that there were. */
async function seenBy(page) {
  const [, count] = (await page.locator('.messages-count, .topics .toolbar .muted').textContent()).match(/([\d,]+) messages/);
  return Number(count.replaceAll(',', ''));
}

/** Megabytes of JavaScript's heap, after what is garbage went. */
async function heap(cdp) {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  return Math.round(metrics.find(({ name }) => name === 'JSHeapUsedSize').value / 1e5) / 10;
}

/** Notes every task of more than 50 ms, in milliseconds. */
function observe() {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.longTasks.push(Math.round(duration));
  }).observe({ type: 'longtask' });
}

/** A link to a profile that subscribes to everything. */
function link(url) {
  const profile = { name: 'load', server: url, clientId: 'load', subscriptions: [{ filter: '#', qos: 0 }] };
  return `#connect=${Buffer.from(JSON.stringify(profile)).toString('base64url')}`;
}
