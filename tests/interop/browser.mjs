// Chromium for the tests of the page and of the in-tab broker.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** A headless Chromium: that of the environment's CHROME, or the first in the usual places. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROME ?? usualPlaces.find(existsSync),
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    chromiumSandbox: process.getuid?.() !== 0, // Chromium refuses a sandbox to root
  });
}

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
