// Scenarios within one page of a headless Chromium: a broker in the page, and clients that speak to it over MessagePorts. aedes, which
// knows none, is spoken to over a stream; of Node it has what bundlers put in its place.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

export const title = 'In one page of Chromium';

export function prepare() {
  execFileSync(inFolder('mqtt5-wasm/build.sh'), { stdio: 'inherit' });
}

/** The names of their functions. */
const CONTESTANTS = { mqlite: 'mqlitePort', 'mqtt5-wasm': 'mqtt5Wasm', aedes: 'aedes', 'mqlite without a port': 'mqlite' };

export const scenarios = [
  scenario({ qos: 0, bytes: 16, chunk: 64 }, { text: 'in one page, over MessagePort, one to one, QoS 0, 16 bytes', goals: [{ least: 200_000 }] }),
  scenario({ qos: 0, bytes: 16, chunk: 1 }, { text: 'the same with each packet in a message of its own' }),
  scenario({ qos: 1, bytes: 16, chunk: 64 }),
  scenario({ qos: 0, bytes: 256, chunk: 64 }),
  scenario({ qos: 0, bytes: 16, chunk: 1, subscribers: 100 }),
];

function scenario(load, { text, goals } = {}) {
  const { qos, bytes, chunk, subscribers = 1 } = load;
  const measure = (broker) => ({ quick, shared }) => inPage(shared, { ...load, broker, seconds: quick ? 0.5 : 1 });
  return {
    name: `1_${subscribers}_qos${qos}_p${bytes}_by_${chunk}`,
    text,
    summary: text !== undefined,
    unit: 'deliveries/s',
    contestants: Object.fromEntries(Object.entries(CONTESTANTS).map(([name, broker]) => [name, measure(broker)])),
    goals,
    open,
    close: async ({ browser, server }) => {
      await browser.close();
      server.close();
    },
  };
}

/** A page of its own for each measurement. */
async function inPage({ browser, server }, task) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const { rate } = await page.evaluate((task) => measure(task), task);
    return { rate };
  } finally {
    await context.close();
  }
}

async function open() {
  const script = await bundle();
  const server = createServer(async ({ url }, response) => {
    if (url === '/') return response.setHeader('Content-Type', 'text/html').end(PAGE);
    if (url === '/page.js') return response.setHeader('Content-Type', 'text/javascript').end(script);
    const wasm = /^\/mqtt5-wasm\/(broker(\.js|_bg\.wasm))$/.exec(url);
    if (!wasm) return response.writeHead(404).end();
    response.setHeader('Content-Type', wasm[2] === '.js' ? 'text/javascript' : 'application/wasm');
    response.end(await readFile(inFolder(`../../target/bench/mqtt5-wasm/page/${wasm[1]}`)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({
    executablePath: process.env.CHROME,
    args: ['--disable-gpu', '--disable-background-networking', '--no-first-run'],
    chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses a sandbox to root
  });
  return { browser, server };
}

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [inFolder('tab/page.mjs')],
    alias: {
      stream: 'readable-stream',
      'node:stream': 'readable-stream',
      'node:events': 'events',
      ...Object.fromEntries(['node:crypto', 'node:process', 'node:util', 'util', 'node:net', 'node:http', 'assert'].map((name) => [name, inFolder('tab/node.cjs')])),
    },
    inject: [inFolder('tab/globals.mjs')],
    define: { global: 'globalThis' },
    external: ['/mqtt5-wasm/*', 'node:module'],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

function inFolder(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

const PAGE = '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>';
