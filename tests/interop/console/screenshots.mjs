// Makes the pictures of the console that README.md shows: the built page in Chromium, its sensors at work.
// The button for Chinese is in each of them, so that the system needs a font of it.
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Console } from './console.mjs';
import { level, visit } from './parts.mjs';

const folder = fileURLToPath(new URL('../../../www/screenshots/', import.meta.url));
const desktop = { viewport: { width: 1280, height: 910 } };
const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };

const pictures = [
  { name: 'messages', options: { ...desktop, colorScheme: 'light' }, arrange: messages },
  { name: 'topics', options: { ...desktop, colorScheme: 'dark' }, arrange: topics },
  { name: 'tour', options: { ...desktop, colorScheme: 'light' }, arrange: tour },
  { name: 'wire', options: { ...desktop, colorScheme: 'dark' }, arrange: wire },
  { name: 'phone', options: { ...phone, colorScheme: 'light' }, arrange: untilFull },
];
/** Percent. */
const QUALITY = 80;
/** Bytes of a picture. */
const LIMIT = 90 * 1024;

const shown = await Console.start();
try {
  await mkdir(folder, { recursive: true });
  for (const picture of pictures) await take(picture);
} finally {
  await shown.stop();
}

async function take({ name, options, arrange }) {
  const { page, complaints } = await shown.open(options);
  if (!(await page.evaluate(hasChinese))) throw new Error('No font here has Chinese: install one, such as fonts-wqy-microhei.');
  await page.getByRole('button', { name: 'Not now' }).click();
  await arrange(page);
  const path = `${folder}${name}.webp`;
  await page.screenshot({ path, type: 'webp', quality: QUALITY, animations: 'disabled' });
  await page.context().close();
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  const { size } = await stat(path);
  console.log(`www/screenshots/${name}.webp: ${Math.ceil(size / 1024)} KiB`);
  if (size > LIMIT) throw new Error(`${name}.webp is larger than ${LIMIT / 1024} KiB.`);
}

async function messages(page) {
  await page.getByRole('button', { name: 'Unsubscribe from #' }).click();
  const form = page.getByRole('form', { name: 'Subscribe' });
  for (const [filter, qos] of [['sensor/#', '0'], ['meter/#', '1'], ['door/#', '2']]) {
    await form.getByLabel('Topic filter').fill(filter);
    await form.getByLabel('QoS').selectOption(qos);
    await form.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByRole('button', { name: `Unsubscribe from ${filter}` }).waitFor();
  }
  await untilFull(page);
  await page.getByRole('button', { name: 'Pause' }).click(); // a row that moves is not hit
  await page.getByRole('option').filter({ hasText: 'meter/1/power' }).last().click();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.mouse.move(0, 0);
}

async function topics(page) {
  await visit(page, 'Topics');
  const temperature = level(page, 'temperature').first();
  await temperature.click();
  while (Number(await temperature.locator('.topic-count').textContent()) < 40) await page.waitForTimeout(200);
  await page.getByRole('group', { name: 'The chosen topic' }).locator('canvas').waitFor();
}

async function tour(page) {
  await visit(page, 'Tour');
  await page.getByRole('button', { name: 'QoS 1: at least once' }).click();
  await page.getByRole('button', { name: 'Publish one, lose its PUBACK' }).click();
  await page.getByText('Done. What to notice:').waitFor();
  await page.mouse.move(0, 0);
}

async function wire(page) {
  await visit(page, 'Wire');
  const packets = page.getByRole('listbox', { name: 'Packets' }).getByRole('option');
  await packets.nth(6).waitFor();
  await page.getByRole('button', { name: 'Follow' }).click();
  await packets.filter({ hasText: 'PUBLISH from Broker to console' }).last().click();
  await page.getByRole('tree', { name: 'Fields' }).getByText('Topic Name', { exact: true }).hover();
}

/** Whether two characters look different: what no font has is drawn as the same box. */
function hasChinese() {
  const context = new OffscreenCanvas(32, 32).getContext('2d', { willReadFrequently: true });
  context.font = '24px sans-serif';
  const drawn = [...'中文'].map((character) => {
    context.clearRect(0, 0, 32, 32);
    context.fillText(character, 4, 26);
    return context.getImageData(0, 0, 32, 32).data.join();
  });
  return drawn[0] !== drawn[1];
}

/** Waits for more messages than what all sensors say at once. */
async function untilFull(page) {
  const count = page.locator('.messages-count');
  while (Number.parseInt(await count.textContent(), 10) < 40) await page.waitForTimeout(200);
}
