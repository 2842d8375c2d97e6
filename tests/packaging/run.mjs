// Runs an app where it is to run, and hears what it says.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { weigh } from './site.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Paths. A script of the packages moves the commands from what is for this platform to where all have it, if npm runs it. */
export const commands = {
  node: process.execPath,
  deno: firstOf('@deno/*/deno', 'deno/deno'),
  vitest: firstOf('vitest/vitest.mjs'),
  bun: firstOf('@oven/*/bin/bun', 'bun/bin/bun.exe'),
};

/** What a process prints until it ends. */
export async function runProcess(command, args, cwd) {
  // Tests that a test runs are tests of their own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(command, args, { cwd, env, timeout: 60_000 });
  return stdout.trim();
}

/** What the first `console.log` of a page says. Any error in it rejects. */
export async function hear(context, url) {
  const page = await context.newPage();
  try {
    const heard = new Promise((resolve, reject) => {
      page.on('pageerror', reject);
      page.on('console', (message) => {
        if (message.type() === 'log') resolve(message.text());
        if (message.type() === 'error') reject(new Error(message.text()));
      });
    });
    await Promise.all([heard, page.goto(url)]);
    return await heard;
  } finally {
    await page.close();
  }
}

/** What a Worker answers to a request, in workerd. `folder` is what a deployment would upload: main.js, and .wasm files. */
export async function askWorker(folder, query) {
  const wasm = readdirSync(folder).filter((name) => name.endsWith('.wasm'));
  await writeFile(join(folder, 'config.capnp'), configuration(wasm));
  const workerd = createRequire(join(here, '../../worker/package.json'))('workerd').default;
  const server = spawn(workerd, ['serve', 'config.capnp', '--socket-addr', 'http=127.0.0.1:0', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const exited = once(server, 'exit');
  try {
    for await (const line of createInterface(server.stdio[3])) {
      const response = await fetch(`http://127.0.0.1:${JSON.parse(line).port}/?${query}`);
      return { status: response.status, said: await response.text(), weight: await weighAll(folder, ['main.js', ...wasm]) };
    }
    throw new Error('workerd ended before it listened.');
  } finally {
    server.kill('SIGKILL');
    await exited;
  }
}

async function weighAll(folder, names) {
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.reduce((sum, bytes) => sum + weigh(bytes), 0);
}

function configuration(wasm) {
  const modules = ['(name = "main.js", esModule = embed "main.js")', ...wasm.map((name) => `(name = "${name}", wasm = embed "${name}")`)];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [(name = "http", http = (), service = "worker")],
);

const worker :Workerd.Worker = (compatibilityDate = "2026-11-01", modules = [${modules.join(', ')}]);
`;
}

/** The first of these that is installed. `*` is the one package of a scope that is for this platform. */
function firstOf(...paths) {
  const modules = join(here, 'node_modules');
  const found = paths.map((path) => {
    const [scope, rest] = path.split('/*/');
    return rest ? join(modules, scope, readdirSync(join(modules, scope))[0], rest) : join(modules, path);
  });
  return found.find(existsSync);
}
