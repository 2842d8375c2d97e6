// Builds dist/: one file for each kind of platform, the WebAssembly, and the types.

import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const WASM = 'wasm/mqlite_bg.wasm';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
await rm('dist', { recursive: true, force: true });
await mkdir('dist');
await copyFile(WASM, 'dist/mqlite.wasm');
// Its code is inside, under these terms.
await copyFile('node_modules/idb/LICENSE', 'dist/LICENSE-idb');

const common = { absWorkingDir: process.cwd(), bundle: true, format: 'esm', target: 'es2022' };
await build({ ...common, entryPoints: ['src/entry/default.ts'], outfile: 'dist/index.js', loader: { '.wasm': 'base64' } });
await build({ ...common, entryPoints: ['src/entry/workerd.ts'], outfile: 'dist/workerd.js', plugins: [wasmBeside()] });

const tsc = createRequire(import.meta.url).resolve('typescript/package.json').replace('package.json', 'bin/tsc');
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.types.json'], { stdio: 'inherit' });
// Of no use outside: they name the generated glue.
for (const name of ['engine', 'link']) await rm(`dist/types/${name}.d.ts`);

for (const file of ['dist/index.js', 'dist/workerd.js', 'dist/mqlite.wasm']) {
  const bytes = await readFile(file);
  console.log(`${file}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}

/** Leaves the import of the WebAssembly to the platform, as a file beside. */
function wasmBeside() {
  return {
    name: 'wasm-beside',
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, () => ({ path: './mqlite.wasm', external: true }));
    },
  };
}
