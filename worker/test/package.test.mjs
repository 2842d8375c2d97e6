// The package as somebody installs it in a Worker of their own: what `npm pack` makes of it, and the example of its README.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { start } from '../local.mjs';

const run = promisify(execFile);
const WORKER = fileURLToPath(new URL('..', import.meta.url));
const OFFLINE = { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' };

let folder;
let packed;
let root;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mqlite-project-'));
  packed = { js: await pack(join(WORKER, '../js')), worker: await pack(WORKER) };
  root = await project();
});
after(() => rm(folder, { recursive: true, force: true }));

/** Packs a package, and resolves with its archive's path and what is in it. */
async function pack(from) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, from]);
  const [{ filename, files }] = Object.values(JSON.parse(stdout));
  return { archive: join(folder, filename), files: files.map(({ path }) => path) };
}

/** A project with the packages installed, and the examples of the README in it. */
async function project() {
  const root = join(folder, 'project');
  await mkdir(join(root, 'src'), { recursive: true });
  await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'somebody', private: true, type: 'module' }));
  const packages = ['hono', 'jose'].map((name) => join(WORKER, 'node_modules', name));
  const flags = ['--offline', '--install-links', '--no-package-lock', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, packed.js.archive, packed.worker.archive, ...packages], { cwd: root });
  await mkdir(join(root, 'node_modules/@cloudflare'), { recursive: true });
  for (const name of ['wrangler', 'typescript', '@cloudflare/workers-types']) {
    await symlink(join(WORKER, 'node_modules', name), join(root, 'node_modules', name));
  }
  for (const [path, text] of Object.entries(await examples())) await writeFile(join(root, path), text);
  return root;
}

/** Deploys the example, changed, and runs it while `use` is at work with its port. */
async function deployed(change, settings, use) {
  const { 'src/index.ts': example } = await examples();
  const changed = change(example);
  await writeFile(join(root, 'src/index.ts'), changed);
  await check();
  const wrangler = [join(WORKER, 'node_modules/wrangler/bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', 'dist'];
  await run(process.execPath, wrangler, { cwd: root, env: OFFLINE });
  const workerd = await start({ project: root, settings });
  try {
    await use(workerd.port);
  } finally {
    await workerd.stop();
  }
}

/** The examples of the README that name their file, by its path. */
async function examples() {
  const readme = await readFile(join(WORKER, 'README.md'), 'utf8');
  return Object.fromEntries([...readme.matchAll(/^```\w+\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, path, text]) => [path, text]));
}

/** Checks the types of all that is there. */
const check = () => run(process.execPath, [join(WORKER, 'node_modules/typescript/bin/tsc'), ...STRICT, 'src/index.ts', 'src/room.ts', 'src/meters.ts', 'src/consumer.ts'], { cwd: root });

const STRICT = '--noEmit --strict --module esnext --moduleResolution bundler --target es2024 --lib es2024 --types @cloudflare/workers-types'.split(' ');

/** Publishes over MQTT and hears it. */
async function exchange(port, path) {
  const client = await mqtt.connectAsync(`ws://127.0.0.1:${port}${path}`, { protocolVersion: 5, reconnectPeriod: 0 });
  const heard = new Promise((resolve) => client.once('message', (topic, payload) => resolve(`${topic} ${payload}`)));
  await client.subscribeAsync('tide/+', { qos: 1 });
  await client.publishAsync('tide/low', '06:12', { qos: 1 });
  assert.equal(await heard, 'tide/low 06:12');
  await client.endAsync();
}

test('The archive holds modules, their types and documents, and nothing else', () => {
  const { files } = packed.worker;
  for (const name of ['lib/mqtt.js', 'lib/mqtt.d.ts', 'README.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'package.json']) {
    assert.ok(files.includes(name), name);
  }
  const others = files.filter((name) => !/^(lib\/[\w/-]+\.(js|d\.ts|json)|[A-Z]+\.md|LICENSE-\w+|package\.json|wrangler\.jsonc)$/.test(name));
  assert.deepEqual(others, []);
});

test('The example of the README is typed, deploys, and serves MQTT beside the rest of its Worker', async () => {
  await deployed((example) => example, {}, async (port) => {
    await exchange(port, '/mqtt');
    await exchange(port, '/mqtt/kitchen');
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(await response.text(), 'Here is the rest of your Worker.');
  });
});

test('Below a base all is of the broker, and nothing beside it', async () => {
  const below = (example) => example.replace('context))', "context, { base: '/broker' }))");
  await deployed(below, {}, async (port) => {
    await exchange(port, '/broker/mqtt/kitchen');
    const texts = ['/mqtt', '/brokers/mqtt', '/broker'].map(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text());
    assert.deepEqual(new Set(await Promise.all(texts)), new Set(['Here is the rest of your Worker.']));
    assert.equal((await fetch(`http://127.0.0.1:${port}/broker/mqtt`)).status, 426);
  });
});

test('A class of its own decides what is published', async () => {
  const own = (example) => example.replace("export { MqttBroker } from 'mqlite-worker'", "export { MqttBroker } from './room.js'");
  await deployed(own, { review: { filter: 'tide/#' } }, async (port) => {
    const client = await mqtt.connectAsync(`ws://127.0.0.1:${port}/mqtt`, { protocolVersion: 5, reconnectPeriod: 0, clientId: 'gauge' });
    const heard = new Promise((resolve) => client.once('message', (_, payload) => resolve(`${payload}`)));
    await client.subscribeAsync('tide/+', { qos: 1 });
    await assert.rejects(client.publishAsync('tide/low', 'deep', { qos: 1 }), { code: 0x99 });
    await client.publishAsync('tide/low', '0.4', { qos: 1 });
    assert.equal(await heard, '{"metres":0.4,"by":"gauge"}');
    await client.endAsync();
  });
});
