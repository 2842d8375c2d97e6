// The console as its tests have it: the built page behind its own server, in Chromium, used by labels and roles.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from '../browser.mjs';
import { freePort } from '../free-port.mjs';

const serve = fileURLToPath(new URL('../../../www/serve.mjs', import.meta.url));
export const screenshots = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url));

/** The console for the tests of a suite. What a test opens is closed after it; a page that has complained lets it fail. */
export function useConsole() {
  let console, opened;
  before(async () => {
    console = await Console.start();
  });
  after(() => console?.stop());
  afterEach(async () => {
    const { page, complaints } = opened ?? {};
    opened = undefined;
    await page?.context().close();
    assert.deepEqual(complaints ?? [], []);
  });
  return {
    /** As that of `Console`; only the page. */
    async open(options) {
      opened = await console.open(options);
      return opened.page;
    },
    /** Of the page that is open. A test takes out what it expects. */
    get complaints() {
      return opened.complaints;
    },
  };
}

/** A server of the page and a browser: `open` gives a page, and all that it complained about. */
export class Console {
  static async start() {
    const console = new Console();
    await mkdir(screenshots, { recursive: true });
    console.server = await startServer(0);
    console.browser = await launch();
    return console;
  }

  async stop() {
    await this.browser?.close();
    await this.server?.stop();
  }

  /** A page that has begun: its broker runs, and its first client is connected. `allowed` are addresses that it may ask. */
  async open({ url = this.server.url, hash = '', allowed = [], ...options } = {}) {
    const context = await this.browser.newContext({ locale: 'en-US', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      const isKnown = [url, ...allowed].some((start) => request.url().startsWith(start));
      if (!isKnown) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url + hash);
    await page.locator('.card .lamp-connected').first().waitFor();
    return { page, complaints };
  }
}

/** Runs the page's server as `make demo` does; `stop` ends it as Ctrl-C does and resolves to its exit code. */
export async function startServer(port) {
  const child = spawn(process.execPath, [serve], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const [url] = line.match(/http:\/\/127\.0\.0\.1:\d+\//) ?? [];
    if (!url) continue;
    const stop = async () => {
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      return code;
    };
    return { url, stop };
  }
  throw new Error('The server of the page ended without a URL: is the page built?');
}

/** Runs the worker as `make worker` does, which serves the page too. */
export async function startWorker() {
  const folder = fileURLToPath(new URL('../../../worker/', import.meta.url));
  const node = fileURLToPath(new URL('node_modules/node/bin/node', `file://${folder}`));
  const child = spawn(node, ['dev.mjs'], {
    cwd: folder,
    env: { ...process.env, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const [url] = line.match(/ws:\/\/127\.0\.0\.1:\d+\/mqtt/) ?? [];
    if (!url) continue;
    child.stdout.resume(); // what it says later is of no interest
    const stop = async () => {
      child.kill('SIGINT');
      await once(child, 'exit');
    };
    return { url, page: `http://${new URL(url).host}/`, stop };
  }
  throw new Error('The worker ended without a URL: is it built?');
}

/** Asserts that axe finds nothing, and that nothing sticks out of the window. */
export async function mustBeAccessible(page) {
  assert.deepEqual(await page.evaluate(accessibilityCheck), []);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const accessibilityCheck = `${axe};
  axe.run().then(({ violations }) =>
    violations.map(({ help, nodes }) => [help, ...nodes.map(({ html }) => html)].join(' ')))`;
