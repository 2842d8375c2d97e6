// How large what a deployment uploads is.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const WORKER = fileURLToPath(new URL('..', import.meta.url));

/** KiB: 3 MB gzipped was the limit of the free plan until 2026; since then Cloudflare's documentation says 64 MiB as it is. */
const MOST = 3 * 1024;

test('What is uploaded is within the limit of the free plan', { timeout: 120_000 }, async () => {
  const outdir = await mkdtemp(join(tmpdir(), 'mqlite-upload-'));
  try {
    const wrangler = [join(WORKER, 'node_modules/wrangler/bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', outdir];
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' };
    const { stdout } = await promisify(execFile)(process.execPath, wrangler, { cwd: WORKER, env });
    const [line, , gzipped] = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(stdout) ?? [];
    console.log(line ?? stdout);
    assert.ok(Number(gzipped) > 0 && Number(gzipped) < MOST, line);
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
});
