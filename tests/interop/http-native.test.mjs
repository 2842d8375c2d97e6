// The contract of the HTTP API, held by `mqlite serve`: see `http/contract.mjs`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_TOKEN, contract, JWT_SECRET, SETTINGS } from './http/contract.mjs';
import { startServer } from './server.mjs';

contract('mqlite serve', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-http-'));
  const config = join(folder, 'mqlite.toml');
  await writeFile(config, toml(SETTINGS));
  const options = {
    data: join(folder, 'data'),
    options: ['--config', config],
    variables: { MQLITE_ADMIN_TOKEN: ADMIN_TOKEN, MQLITE_JWT_SECRET: JWT_SECRET },
  };
  let server = await startServer(options);
  return {
    websocket: server.ws,
    origin: `http://${new URL(server.ws).host}`,
    async crash() {
      await server.kill();
      server = await startServer({ ...options, at: new URL(server.ws).host });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
});

/** Settings as TOML: what is no table is written there as in JSON. */
function toml(settings, path = []) {
  const isTable = (value) => typeof value === 'object' && !Array.isArray(value);
  const entries = Object.entries(settings);
  const values = entries.filter(([, value]) => !isTable(value)).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  const tables = entries.filter(([, value]) => isTable(value)).map(([key, value]) => toml(value, [...path, key]));
  return `${path.length > 0 ? `[${path.join('.')}]\n` : ''}${values.join('')}${tables.join('')}`;
}
