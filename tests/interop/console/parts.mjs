// What the tests of topics and messages do on the page more than once.

/** Goes to a view by its tab. */
export async function visit(page, view) {
  await page.getByRole('navigation').getByRole('button', { name: view, exact: true }).click();
}

/** Publishes by the form of the messages, which must be in sight. */
export async function publish(page, topic, payload, { qos = '0', retain = false } = {}) {
  const form = page.getByRole('form', { name: 'Publish' });
  await form.getByLabel('Topic', { exact: true }).fill(topic);
  await form.getByLabel('Payload', { exact: true }).fill(payload);
  await form.getByLabel('QoS').selectOption(qos);
  await form.getByLabel('Retain').setChecked(retain);
  await form.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('option').filter({ hasText: 'sent' }).filter({ hasText: topic }).last().waitFor();
}

/** Stops the page's own sensors, so that nothing comes but what a test publishes. */
export async function quiet(page) {
  await page.getByRole('button', { name: 'Sensors' }).click();
  await page.getByText('1 client', { exact: true }).waitFor({ state: 'attached' }); // a phone hides it
}

/** A topic of the tree by all its levels. */
export function level(page, name) {
  return page.getByRole('tree').getByRole('treeitem').filter({ has: page.getByText(name, { exact: true }) });
}

/** The path of a file that the page saved after this was done. */
export async function saved(page, action) {
  const [download] = await Promise.all([page.waitForEvent('download'), action()]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

/** Whether the middle of an element is neither covered nor out of the window: run in the page. */
export function isInSight(element) {
  const { x, y, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}
