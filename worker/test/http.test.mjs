import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_TOKEN, contract, JWT_SECRET, SETTINGS } from '../../tests/interop/http/contract.mjs';
import { start } from '../local.mjs';

contract('the worker', async () => {
  const data = await mkdtemp(join(tmpdir(), 'mqlite-http-'));
  const run = (port) => start({ port, data, settings: SETTINGS, variables: { ADMIN_TOKEN, JWT_SECRET } });
  let workerd = await run(0);
  const { port } = workerd;
  return {
    origin: `http://127.0.0.1:${port}`,
    websocket: `ws://127.0.0.1:${port}/mqtt`,
    async crash() {
      await workerd.stop();
      workerd = await run(port);
    },
    async stop() {
      await workerd.stop();
      await rm(data, { recursive: true });
    },
  };
});
