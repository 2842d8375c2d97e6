// A tab with a broker that keeps its state in IndexedDB, and every way in which a tab ends.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill, launchIn } from './browser.mjs';

export class Tab {
  page;
  #origin;
  #directory;
  #context;
  /** Resolves when the page has reloaded itself. */
  #reloaded;
  #hearers = new Map();

  /** A browser with a profile of its own, which outlives the browser. */
  static async launch(origin) {
    const tab = new Tab(origin, await mkdtemp(join(tmpdir(), 'mqlite-tab-')));
    await tab.#launch();
    return tab;
  }

  constructor(origin, directory) {
    this.#origin = origin;
    this.#directory = directory;
  }

  /** Opens the broker, in the page that is there or another one. */
  async openBroker(database, options = {}) {
    if (!this.#context) await this.#launch();
    this.page ??= await this.#context.newPage();
    await this.page.goto(`${this.#origin.url}/broker`);
    await this.page.waitForFunction('globalThis.isReady');
    const opened = await this.page.evaluate(([database, options]) => openBroker(database, options), [database, options]);
    if (opened !== 'done') throw Object.assign(new Error(opened.message), { code: opened.code });
  }

  /** A connection to the broker, by number; `hear` gets bytes, or nothing when it is closed. */
  async join(hear) {
    const id = this.#hearers.size + 1;
    this.#hearers.set(id, hear);
    await this.page.evaluate((id) => join(id), id);
    return id;
  }

  /** Does not wait: what the broker says to it is heard. `end` may be `reload`, in the same task of the page. */
  say(id, bytes, end) {
    if (end === 'reload') this.#reloaded = this.page.waitForEvent('load');
    this.page?.evaluate(([id, text, end]) => say(id, text, end), [id, bytes.toString('hex'), end]).catch(() => {});
  }

  /** Ends the tab in this way; nothing in it is told, and nobody waits for what it is doing. */
  async end(how) {
    for (const id of this.#hearers.keys()) this.#hearers.set(id, () => {});
    const { page } = this;
    const reloaded = this.#reloaded;
    this.#reloaded = undefined;
    if (how === 'reload') return reloaded ?? page.reload();
    this.page = undefined;
    if (how === 'close') return page.close();
    if (how === 'crash') return crash(page);
    const context = this.#context;
    this.#context = undefined;
    return kill(context, this.#directory);
  }

  /** Damages the files in which a browser that was killed keeps its databases. */
  async damage() {
    const folder = join(this.#directory, 'Default', 'IndexedDB');
    const logs = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.log'));
    if (logs.length === 0) throw new Error('The browser keeps its databases in another way now.');
    for (const path of logs) {
      const bytes = await readFile(join(folder, path));
      await writeFile(join(folder, path), bytes.fill(0xff, 40, 60));
    }
  }

  async close() {
    await this.#context?.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #launch() {
    this.#context = await launchIn(this.#directory);
    await this.#context.exposeFunction('heard', (id, hex) => this.#hearers.get(id)?.(hex === null ? undefined : Buffer.from(hex, 'hex')));
  }
}

export const ENDS = ['reload', 'close', 'crash', 'kill'];

/** Resolves when the renderer process is gone. */
export async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.on('crash', resolve));
  session.send('Page.crash').catch(() => {}); // nobody is left to answer
  await crashed;
}
