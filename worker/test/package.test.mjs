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
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mqlite-project-'));
  packed = { js: await pack(join(WORKER, '../js')), worker: await pack(WORKER) };
});
after(() => rm(folder, { recursive: true, force: true }));

/** Packs a package, and resolves with its archive's path and what is in it. */
async function pack(from) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, from]);
  const [{ filename, files }] = Object.values(JSON.parse(stdout));
  return { archive: join(folder, filename), files: files.map(({ path }) => path) };
}

/** A project with the packages installed, and the files of the README in it. */
async function project(name, change = (files) => files) {
  const root = join(folder, name);
  await mkdir(join(root, 'src'), { recursive: true });
  await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'somebody', private: true, type: 'module' }));
  const packages = ['hono', 'jose'].map((name) => join(WORKER, 'node_modules', name));
  const flags = ['--offline', '--install-links', '--no-package-lock', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, packed.js.archive, packed.worker.archive, ...packages], { cwd: root });
  await mkdir(join(root, 'node_modules/@cloudflare'), { recursive: true });
  for (const name of ['wrangler', 'typescript', '@cloudflare/workers-types']) {
    await symlink(join(WORKER, 'node_modules', name), join(root, 'node_modules', name));
  }
  const files = Object.entries(change(await examples()));
  for (const [path, text] of files) await writeFile(join(root, path), text);
  return root;
}

/** The examples of the README that name their file, by its path. */
async function examples() {
  const readme = await readFile(join(WORKER, 'README.md'), 'utf8');
  return Object.fromEntries([...readme.matchAll(/^```\w+\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, path, text]) => [path, text]));
}

const STRICT = ['--noEmit', '--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2024', '--lib', 'es2024'];

const check = (root) =>
  run(process.execPath, [join(WORKER, 'node_modules/typescript/bin/tsc'), ...STRICT, '--types', '@cloudflare/workers-types', 'src/index.ts'], { cwd: root });

const deploy = (root) =>
  run(process.execPath, [join(WORKER, 'node_modules/wrangler/bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', 'dist'], { cwd: root, env: OFFLINE });

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
  const others = files.filter((name) => !/^(lib\/[\w/-]+\.(js|d\.ts|json)|[A-Z]+\.md|LICENSE-\w+|package\.json)$/.test(name));
  assert.deepEqual(others, []);
});

test('The example of the README is typed, deploys, and serves MQTT beside the rest of its Worker', { timeout: 180_000 }, async () => {
  const root = await project('example');
  await check(root);
  await deploy(root);
  const workerd = await start({ project: root });
  try {
    await exchange(workerd.port, '/mqtt');
    await exchange(workerd.port, '/mqtt/kitchen');
    const response = await fetch(`http://127.0.0.1:${workerd.port}/`);
    assert.equal(await response.text(), 'Here is the rest of your Worker.');
  } finally {
    await workerd.stop();
  }
});

test('Below a base all is of the broker, and nothing beside it', { timeout: 180_000 }, async () => {
  const root = await project('base', (files) => ({
    ...files,
    'src/index.ts': files['src/index.ts'].replace('context))', "context, { base: '/broker' }))"),
  }));
  await check(root);
  await deploy(root);
  const workerd = await start({ project: root });
  try {
    await exchange(workerd.port, '/broker/mqtt/kitchen');
    const texts = ['/mqtt', '/brokers/mqtt', '/broker'].map(async (path) => (await fetch(`http://127.0.0.1:${workerd.port}${path}`)).text());
    assert.deepEqual(new Set(await Promise.all(texts)), new Set(['Here is the rest of your Worker.']));
    assert.equal((await fetch(`http://127.0.0.1:${workerd.port}/broker/mqtt`)).status, 426);
  } finally {
    await workerd.stop();
  }
});
