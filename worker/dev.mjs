// Runs the Worker locally until Ctrl-C: on port 8787 or PORT, the next free one when that is taken. DATA names a folder that keeps its
// state; ADMIN_TOKEN, JWT_SECRET and JWT_PUBLIC_KEY are bound as secrets are.

import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { start } from './local.mjs';

const port = process.env.PORT || '8787';
if (!(/^\d+$/.test(port) && port < 65_536)) {
  console.error(`PORT is "${port}", but a port is a number up to 65535.`);
  process.exit(1);
}

const data = process.env.DATA && resolve(process.env.DATA);
if (data) await mkdir(data, { recursive: true });
const secrets = ['ADMIN_TOKEN', 'JWT_SECRET', 'JWT_PUBLIC_KEY'].filter((name) => process.env[name]);
const variables = Object.fromEntries(secrets.map((name) => [name, process.env[name]]));
const workerd = await start({ port: await freePort(Number(port)), variables, ...(data && { data }) });
console.log(`\n  ws://127.0.0.1:${workerd.port}/mqtt        one broker`);
console.log(`  ws://127.0.0.1:${workerd.port}/mqtt/ROOM   another for each room name`);
console.log(`  http://127.0.0.1:${workerd.port}/openapi.json   the HTTP API${secrets.includes('ADMIN_TOKEN') ? '' : ': for a bearer, set ADMIN_TOKEN to 32 characters or more'}`);
console.log('\n  Everybody who can reach it is let in; a deployment lets in whom its settings name.');
console.log(data ? `\n  Its state is in ${data}. Ctrl-C stops it.` : '\n  Ctrl-C stops it, and its state is gone: DATA=folder keeps it.');

let asked = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    asked = true;
    workerd.stop();
  });
}
await workerd.exited;
if (!asked) throw new Error('workerd ended by itself.');

async function freePort(port) {
  for (;;) {
    const free = await new Promise((resolve, reject) => {
      const probe = createServer();
      probe.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
    port += 1;
  }
}
