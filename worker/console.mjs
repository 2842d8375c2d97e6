// Puts the console, as `www` is built, where wrangler.jsonc has the files that are served: a room needs none.

import { cp, mkdir, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const [from, to] = ['../www/dist/', 'dist-console/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

await rm(to, { recursive: true, force: true });
await mkdir(to);
if (await stat(from).catch(() => undefined)) await cp(from, to, { recursive: true });
else console.log('The console is not built, so there is none at /: npm --prefix ../www run build');
