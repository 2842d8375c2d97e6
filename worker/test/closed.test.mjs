import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './raw-client.mjs';
import { startSteered } from './steering.mjs';

const ADMIN_TOKEN = 'a-token-of-thirty-two-characters-or-more';

let workerd;
before(async () => {
  const settings = { closed: true, rooms: { default: { closed: false }, 'site-*': { closed: false } } };
  workerd = await startSteered({ settings, variables: { ADMIN_TOKEN } });
});
after(() => workerd.stop());

const reach = (path) => open(`ws://127.0.0.1:${workerd.port}/mqtt${path}`);

test('With closed there are only the rooms that settings open', async () => {
  for (const path of ['', '/default', '/site-1']) await (await reach(path)).close();
  for (const path of ['/other', '/site', '/Default', '/constructor', '/__proto__']) {
    await assert.rejects(reach(path), /did not open/, path);
  }
});

test('A closed room is not there over HTTP either, whatever the token, and what is no room is', async () => {
  const ask = (path) => fetch(`http://127.0.0.1:${workerd.port}${path}`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
  const response = await ask('/rooms/other/clients');
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { error: 'There is no such room.' });
  assert.equal((await ask('/rooms/site-1/clients')).status, 200);
  assert.equal((await ask('/health')).status, 200);
});

test('The description of the HTTP API names the 404 of rooms that are not there', async () => {
  const { paths } = await (await fetch(`http://127.0.0.1:${workerd.port}/openapi.json`)).json();
  const answers = Object.values(paths).flatMap((path) => Object.values(path).filter(({ responses }) => responses));
  const silent = answers.filter(({ responses }) => responses['401'] && !responses['404']).map(({ operationId }) => operationId);
  assert.deepEqual(silent, []);
});

test('Nobody wakes a closed room', async () => {
  const { started } = await workerd.room('never').facts();
  assert.equal(started, 0);
  await assert.rejects(reach('/never'), /did not open/);
  assert.equal((await workerd.room('never').facts()).started, 0);
});
