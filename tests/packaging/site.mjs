// A static server that knows the types of files, and weighs what it sends.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

/** Serves a folder. `weight()` is that of the scripts and the WebAssembly that were sent, gzipped; each counts once. */
export async function serve(root, headers = {}) {
  const weights = new Map();
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const type = TYPES[extname(path)];
    const bytes = type && (await readFile(join(root, path)).catch(() => undefined));
    if (!bytes) return response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
    if (type !== 'text/html') weights.set(path, weigh(bytes));
    response.writeHead(200, { 'Content-Type': type, ...headers }).end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    weight: () => [...weights.values()].reduce((sum, weight) => sum + weight, 0),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function weigh(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}
