// The same applications, on MQTT.js and on mqlite/compat: the text of each is run twice, with one import changed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from './compat/server.mjs';

const FOLDER = new URL('compat/apps/', import.meta.url);

for (const name of (await readdir(FOLDER)).filter((file) => file.endsWith('.mjs'))) {
  test(`${name} sees and does the same with one import changed`, async (context) => {
    const text = await readFile(new URL(name, FOLDER), 'utf8');
    assert.equal(text.split("from 'mqtt'").length, 2, 'one import');
    const theirs = await run(context, text);
    const ours = await run(context, text.replace("from 'mqtt'", "from 'mqlite/compat'"));
    assert.ok(theirs.told.length > 3 && theirs.seen.messages.length + theirs.seen.connections.length > 5, 'it does something');
    assert.deepEqual(ours.told, theirs.told);
    assert.deepEqual(ours.seen, theirs.seen);
  });
}

/** Runs an application to its own end, with a server of its own. */
async function run(context, text) {
  const { url, seen } = await startServer(context);
  const folder = await mkdtemp(fileURLToPath(new URL('compat/run-', import.meta.url)));
  context.after(() => rm(folder, { recursive: true }));
  await writeFile(`${folder}/application.mjs`, text);
  const preload = new URL('compat/web-socket.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', preload, `${folder}/application.mjs`, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill());
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (output += part));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `it ended by itself, after ${output.split('\n').at(-2)}`);
  return { told: output.trim().split('\n'), seen };
}
