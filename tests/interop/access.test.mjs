// Who is let in by `mqlite serve`: the contract that holds for every host. Its settings are a file, its users come over HTTP.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { contract, JWT_PUBLIC_KEY, JWT_SECRET } from './access/contract.mjs';
import { startServer } from './server.mjs';

// Node 20 has none of its own, and the contract uses our client as it is there where one is.
globalThis.WebSocket ??= WebSocket;

const ADMIN_TOKEN = 'the-admin-token-of-the-access-contract';

contract('mqlite serve', async (accessSettings) => {
  // Many fail here from one address.
  const settings = { connectionRate: { perSecond: 1_000_000, burst: 1_000_000 }, ...accessSettings };
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-access-'));
  const config = join(folder, 'mqlite.toml');
  await writeFile(config, Object.entries(settings).map(([key, value]) => `${key} = ${toml(value)}\n`).join(''));
  const variables = { MQLITE_JWT_SECRET: JWT_SECRET, MQLITE_JWT_PUBLIC_KEY: JWT_PUBLIC_KEY, MQLITE_ADMIN_TOKEN: ADMIN_TOKEN };
  const server = await startServer({ options: ['--config', config], variables: { ...variables, RUST_LOG: 'trace' } });
  const http = server.ws.replace('ws://', 'http://').replace('/mqtt', '');
  return {
    websocket: server.ws,
    tcp: new URL(server.mqtt),
    log: server.log,
    async addUser(name, change) {
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' };
      const response = await fetch(`${http}/users/${encodeURIComponent(name)}`, { method: 'PUT', headers, body: JSON.stringify(change) });
      assert.ok(response.ok, await response.text());
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

/** A value as an inline one of TOML; its texts are written as in JSON. */
function toml(value) {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, part]) => `${key} = ${toml(part)}`).join(', ')} }`;
}
