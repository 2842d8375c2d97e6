// The settings that a deployment begins with, and what is said of each.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The keys of the interfaces of a file that begin with one of these words. */
async function keysOf(file, interfaces) {
  const source = await readFile(path(file), 'utf8');
  const bodies = [...source.matchAll(/interface (\w+)[^{]*\{\n(.*?)^\}/gms)].filter(([, name]) => interfaces.includes(name));
  assert.equal(bodies.length, interfaces.length, file);
  return bodies.flatMap(([, , body]) => [...body.matchAll(/^ +(?:readonly )?(\w+)\??:/gm)].map(([, key]) => key));
}

test('wrangler.jsonc says of each setting what it does', async () => {
  const keys = [
    ...(await keysOf('src/settings.ts', ['Settings', 'RoomSettings', 'AuthenticationSettings', 'JwtSettings'])),
    ...(await keysOf('src/forward/settings.ts', ['Forward'])),
    ...(await keysOf('src/review.ts', ['ReviewSettings'])),
    ...(await keysOf('src/log.ts', ['LogSettings'])),
    ...(await keysOf('src/whereabouts.ts', ['Moved'])),
    ...(await keysOf('../js/dist/types/options.d.ts', ['BrokerLimits'])),
  ];
  assert.ok(keys.length > 50);
  const text = await readFile(path('wrangler.jsonc'), 'utf8');
  assert.deepEqual(keys.filter((key) => !new RegExp(`["\`]${key}["\`]`).test(text)), []);
});

test('The settings fit into a variable, and let nobody in', () => {
  const { SETTINGS } = unstable_readConfig({ config: path('wrangler.jsonc') }).vars;
  assert.ok(JSON.stringify(SETTINGS).length < 5_000 / 2);
  assert.equal(SETTINGS.authentication.anonymous, false);
});

test('The guide names each event of the log', async () => {
  const sources = ['src/log.ts', 'src/broker-object.ts', 'src/forward/forwarder.ts', 'src/forward/forwards.ts', 'src/access/complain.ts'];
  const texts = await Promise.all(sources.map((name) => readFile(path(name), 'utf8')));
  const events = new Set(texts.flatMap((text) => [...text.matchAll(/(?:\b(?:log|this)\.(?:error|warn|info|debug)\(|\bevent: )'(\w+)'/g)].map(([, event]) => event)));
  assert.ok(events.size > 10);
  const guide = await readFile(path('DEPLOY.md'), 'utf8');
  assert.deepEqual([...events].filter((event) => !guide.includes(`\`${event}\``)), []);
});
