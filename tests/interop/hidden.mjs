// A Chromium whose tabs may be hidden, and then are woken as rarely as those of people are. Playwright keeps all its pages visible.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { executable } from './browser.mjs';

export class HideableBrowser {
  #process;
  #directory;
  #port;

  static async launch() {
    const browser = new HideableBrowser();
    browser.#directory = await mkdtemp(join(tmpdir(), 'mqlite-hidden-'));
    const options = ['--headless', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0', `--user-data-dir=${browser.#directory}`];
    if (process.getuid?.() === 0) options.push('--no-sandbox'); // Chromium refuses a sandbox to root
    // Elsewhere it takes five minutes until a hidden page is woken once a minute only.
    options.push('--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1');
    browser.#process = spawn(executable(), options, { stdio: 'ignore', detached: true });
    const file = join(browser.#directory, 'DevToolsActivePort');
    while (!existsSync(file) || !(await readFile(file, 'utf8')).includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    [browser.#port] = (await readFile(file, 'utf8')).split('\n');
    return browser;
  }

  /** A tab at this address, in front of the others. */
  async open(url) {
    const target = await (await this.#ask(`new?${encodeURIComponent(url)}`, 'PUT')).json();
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await once(socket, 'open');
    await this.#ask(`activate/${target.id}`);
    return new HideableTab(socket);
  }

  async close() {
    const ended = once(this.#process, 'exit');
    process.kill(-this.#process.pid, 'SIGKILL');
    await ended;
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask(what, method = 'GET') {
    return fetch(`http://127.0.0.1:${this.#port}/json/${what}`, { method });
  }
}

class HideableTab {
  #socket;
  #asked = 0;

  constructor(socket) {
    this.#socket = socket;
  }

  /** What this expression is in the page, once it is settled. */
  async evaluate(expression) {
    const id = (this.#asked += 1);
    this.#socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, awaitPromise: true, returnByValue: true } }));
    for (;;) {
      const [data] = await once(this.#socket, 'message');
      const answer = JSON.parse(data);
      if (answer.id !== id) continue;
      const { result, exceptionDetails } = answer.result;
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    }
  }

  /** Resolves when the expression is true. */
  async until(expression) {
    while (!(await this.evaluate(expression))) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
