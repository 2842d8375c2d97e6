// Chromium for the tests of the page and of the in-tab broker.
import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** A headless Chromium, which forgets everything when it closes. */
export function launch(...args) {
  return chromium.launch(options(args));
}

/** One that keeps its profile in this directory, and caches the pages that were left, as it does for people. */
export function launchIn(directory, ...args) {
  return chromium.launchPersistentContext(directory, {
    ...options(args),
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Ends, with SIGKILL, all processes of the one that was launched in this directory. */
export async function kill(context, directory) {
  const closed = new Promise((resolve) => context.on('close', resolve));
  const [, pid] = /-(\d+)$/.exec(await readlink(join(directory, 'SingletonLock')));
  process.kill(-pid, 'SIGKILL');
  await closed;
}

/** The browser: that of the environment's CHROME, or the first in the usual places. */
export function executable() {
  return process.env.CHROME ?? usualPlaces.find(existsSync);
}

function options(args) {
  return {
    executablePath: executable(),
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
    chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses a sandbox to root
  };
}

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
