// Builds dist/: a file for each entry of the package, what they share, the WebAssembly, and the types.

import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import zopfli from '@gfx/zopfli';
import { build } from 'esbuild';

/** What the import of a .wasm file gives where it gives anything: a module, for the option `wasm`. */
const MODULE = 'declare const module: WebAssembly.Module;\nexport default module;\n';

// Zopfli's own answer to an error is to print its source.
process.removeAllListeners('uncaughtException').removeAllListeners('unhandledRejection');

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
await rm('dist', { recursive: true, force: true });
await mkdir('dist');
for (const name of ['client', 'broker']) await copyFile(`wasm/${name}_bg.wasm`, `dist/${name}.wasm`);
// The code of idb is inside, under these terms.
await copyFile('node_modules/idb/LICENSE', 'dist/LICENSE-idb');
for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) await copyFile(`../${name}`, name);

await build({
  absWorkingDir: process.cwd(),
  entryPoints: [
    ...(await entries('.', 'node', 'workerd')),
    // So that what few use is in a file of its own, which bundlers leave out, and what it needs is not.
    { in: 'src/storages/indexed-db.ts', out: 'chunks/indexed-db' },
    { in: 'src/check.ts', out: 'chunks/check' },
  ],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  external: ['node:*'],
  plugins: [webAssembly()],
  legalComments: 'none',
});

const tsc = createRequire(import.meta.url).resolve('typescript/package.json').replace('package.json', 'bin/tsc');
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.types.json'], { stdio: 'inherit' });
for (const name of ['client', 'broker']) await writeFile(`dist/types/${name}.wasm.d.ts`, MODULE);
await keepReachableTypes();

for (const file of (await readdir('dist', { recursive: true })).filter((name) => /\.(js|wasm)$/.test(name)).sort()) {
  const bytes = await readFile(join('dist', file));
  console.log(`dist/${file}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}

/** What the package exports, platform by platform. */
async function entries(...folders) {
  const found = [];
  for (const folder of folders) {
    const names = (await readdir(join('src/entry', folder))).filter((name) => name.endsWith('.ts'));
    found.push(...names.map((name) => ({ in: join('src/entry', folder, name), out: join(folder, name.slice(0, -3)) })));
  }
  return found;
}

/** In what is deployed the WebAssembly is a file beside, and elsewhere text: deflated as well as zlib's format allows, in base64. */
function webAssembly() {
  return {
    name: 'web-assembly',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /_bg\.wasm$/ }, ({ path, resolveDir }) => {
        if (!resolveDir.endsWith('deployed')) return { path: join(resolveDir, path), namespace: 'inlined' };
        return { path: `../${/(\w+)_bg/.exec(path)[1]}.wasm`, external: true }; // from workerd/ and from chunks/
      });
      onLoad({ filter: /./, namespace: 'inlined' }, async ({ path }) => {
        const deflated = await promisify(zopfli.zlib)(await readFile(path), {});
        return { contents: Buffer.from(deflated).toString('base64'), loader: 'text' };
      });
    },
  };
}

/** Leaves of the types what an entry leads to: the others name the generated glue. */
async function keepReachableTypes() {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'));
  const reached = new Set(Object.values(exports).flatMap(({ types }) => (types ? [join(types)] : [])));
  for (const file of reached) {
    const text = await readFile(file, 'utf8');
    if (/\/(wasm|glue)\//.test(text)) throw new Error(`${file} names the generated glue.`);
    for (const [, path] of text.matchAll(/from '(\.[^']*)\.js'/g)) reached.add(`${join(dirname(file), path)}.d.ts`);
  }
  const all = await readdir('dist/types', { recursive: true, withFileTypes: true });
  for (const file of all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))) {
    if (!reached.has(file)) await rm(file);
  }
}
