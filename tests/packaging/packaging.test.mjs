// The package as somebody installs it: each row publishes and subscribes for real, and tells how much was shipped for that.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from '../interop/browser.mjs';
import { browserBundlers, bundleForWorkers, serverBundlers, serveWithVite } from './bundlers.mjs';
import { startPeer } from './peer.mjs';
import { pack, withEntry, writeExamples, writePage } from './project.mjs';
import { askWorker, commands, hear, runProcess } from './run.mjs';
import { serve, weigh } from './site.mjs';
import { rowsOfReadme, show } from './table.mjs';

const SAID = 'tide/low 06:12';
const KINDS = ['client', 'broker'];

let packed;
let peer;
let browser;
const table = new Map();

before(async () => {
  packed = await pack();
  peer = await startPeer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await peer?.stop();
  await packed?.remove();
  await show(table);
});

/** A row: `run` is given a project and the kind of its app, and returns what the app said and, if it was shipped, how large it was. */
function row(name, run, kinds = KINDS) {
  for (const kind of kinds) {
    test(`${name}: ${kind}`, { timeout: 120_000 }, async () => {
      const { said, weight } = await run(await packed.project(name), kind);
      assert.equal(said, SAID);
      const weights = table.get(name) ?? {};
      table.set(name, { ...weights, [kind]: weight ?? 'runs' });
    });
  }
}

// Processes.

row('Node', async (root, kind) => ({ said: await runProcess(commands.node, [`process-${kind}.mjs`, peer.address], root) }));

// Node requires modules from 20.19 on; before that `await import('mqlite')` does the same.
row('Node, CommonJS', async (root, kind) => ({
  said: await runProcess(commands.node, ['--no-warnings', `process-${kind}.cjs`, peer.address], root),
}));

row('Deno', async (root, kind) => {
  const permissions = ['--allow-net', '--allow-read', '--allow-env'];
  return { said: await runProcess(commands.deno, ['run', '--quiet', ...permissions, `process-${kind}.mjs`, peer.address], root) };
});

row('Bun', async (root, kind) => ({ said: await runProcess(commands.bun, ['run', `process-${kind}.mjs`, peer.address], root) }));

for (const [name, bundle] of Object.entries(serverBundlers)) {
  row(`A server that renders pages, ${name}`, async (root, kind) => {
    const file = await bundle(root, `process-${kind}.mjs`);
    return { said: await runProcess(commands.node, [file, peer.address], root), weight: weigh(await readFile(file)) };
  });
}

row('Cloudflare Workers (workerd)', async (root, kind) => {
  const folder = await bundleForWorkers(root, `worker-${kind}.mjs`);
  return askWorker(folder, `server=${encodeURIComponent(peer.address)}`);
});

// Pages.

for (const [name, bundle] of Object.entries(browserBundlers)) {
  row(name, async (root, kind) => visit(await bundle(root, `page-${kind}.mjs`)));
}

row('Vite, development', async (root, kind) => {
  const server = await serveWithVite(root, `page-${kind}.mjs`);
  try {
    return { said: await hear(browser, address(server.resolvedUrls.local[0])) };
  } finally {
    await server.close();
  }
});

for (const name of ['Vite', 'webpack']) {
  row(`${name}, \`mqlite/url\``, async (root, kind) => {
    const app = await withEntry(root, `page-${kind}.mjs`, 'mqlite/url');
    return visit(await browserBundlers[name](root, app));
  });
}

row('Vite, `mqlite/compat`', async (root) => visit(await browserBundlers.Vite(root, 'page-compat.mjs')), ['client']);

row('No bundler, import map', async (root, kind) => {
  const imports = { mqlite: '/node_modules/mqlite/dist/index.js', 'mqlite/broker': '/node_modules/mqlite/dist/broker.js' };
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  return visit(await writePage(root, '.', `./page-${kind}.mjs`, map));
});

row('No bundler, a path, `mqlite/url`', async (root, kind) => {
  const app = await withEntry(root, `page-${kind}.mjs`, './node_modules/mqlite/dist/url.js');
  return visit(await writePage(root, '.', `./${app}`));
});

row("No bundler, a policy with 'wasm-unsafe-eval'", async (root, kind) => {
  const file = { client: 'index', broker: 'broker' }[kind];
  const app = await withEntry(root, `page-${kind}.mjs`, `./node_modules/mqlite/dist/${file}.js`);
  return visit(await writePage(root, '.', `./${app}`), policy("'self' 'wasm-unsafe-eval'"));
});

test('A policy that forbids WebAssembly is named by the error', async () => {
  const root = await packed.project('A policy that forbids WebAssembly');
  const app = await withEntry(root, 'page-client.mjs', './node_modules/mqlite/dist/index.js');
  await assert.rejects(visit(await writePage(root, '.', `./${app}`), policy("'self'")), /The WebAssembly could not be loaded: .*unsafe-eval/);
});

// Pages that share a worker.

row('SharedWorker, Vite', async (root) => {
  const folder = await browserBundlers.Vite(root, 'page-shared.mjs');
  const site = await serve(folder);
  const context = await browser.newContext();
  try {
    const [one, other] = await Promise.all([openPage(context, site.url), openPage(context, site.url)]);
    await one.evaluate(async () => {
      const subscription = await (await inPage.connect('serving')).subscribe('other/+');
      globalThis.heard = inPage.take(subscription, 2);
    });
    const said = await other.evaluate(async () => {
      const client = await inPage.connect('serving', { will: { topic: 'other/gone', payload: 'gone' } });
      await client.publish('other/here', 'here', { qos: 1 });
      return inPage.exchange(client);
    });
    await other.close(); // which the platform tells the broker, and the broker the other page
    assert.deepEqual(await one.evaluate(() => heard), ['other/here here', 'other/gone gone']);
    return { said, weight: site.weight() };
  } finally {
    await context.close();
    site.stop();
  }
}, ['broker']);

test('Pages hear why their SharedWorker could not open its broker', async () => {
  const root = await packed.project('Pages hear why');
  const site = await serve(await browserBundlers.Vite(root, 'page-shared.mjs'));
  const page = await openPage(browser, site.url);
  try {
    const attempt = () => page.evaluate(() => inPage.connect('failing').catch(({ code, message }) => `${code}: ${message}`));
    assert.match(await attempt(), /^invalid-options: .*maximumQos/);
    assert.match(await attempt(), /^invalid-options: .*maximumQos/, 'who tries again at once is told, too');
    await sleep(1_000);
    assert.match(await attempt(), /^invalid-options: .*maximumQos/, 'the next worker says it again');
  } finally {
    await page.close();
    site.stop();
  }
});

// Tests of somebody, as the guide to mqlite/testing has them.

test('The examples of the guide to testing run in vitest, in node:test, and by themselves', { timeout: 120_000 }, async () => {
  const root = await packed.project('The guide to testing');
  const examples = await writeExamples(root, new URL('../../js/docs/testing.md', import.meta.url));
  assert.ok(examples.alone.length > 3);
  assert.match(await runProcess(commands.node, [commands.vitest, 'run', '--root', root, '--reporter', 'tap-flat', ...examples.vitest], root), /^1\.\.1\nok 1 /m);
  assert.match(await runProcess(commands.node, ['--test', '--test-reporter', 'tap', ...examples.nodeTest], root), /^# pass 1$/m);
  for (const file of examples.alone) await runProcess(commands.node, [file], root);
});

test('The README shows each of these rows', async () => {
  assert.deepEqual(await rowsOfReadme(), [...table.keys()]);
});

async function openPage(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => globalThis.inPage);
  return page;
}

function policy(scripts) {
  return { 'Content-Security-Policy': `default-src 'none'; script-src ${scripts}; connect-src 'self' ${new URL(peer.address).origin}` };
}

function address(url) {
  return `${url}?server=${encodeURIComponent(peer.address)}`;
}

async function visit(folder, headers) {
  const site = await serve(folder, headers);
  try {
    return { said: await hear(browser, address(`${site.url}/`)), weight: site.weight() };
  } finally {
    site.stop();
  }
}
