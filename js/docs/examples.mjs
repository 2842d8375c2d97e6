// Compiles every ts and tsx example of the package's documents against the types of the built package.

import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const DOCUMENTS = ['../README.md', 'testing.md', '../../README.md'];

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
await rm('examples', { recursive: true, force: true });
await mkdir('examples');
let count = 0;
for (const document of DOCUMENTS) {
  const text = await readFile(document, 'utf8');
  for (const [, language, code] of text.matchAll(/^```(tsx?)\n(.*?)^```/gms)) {
    count += 1;
    await writeFile(`examples/${String(count).padStart(2, '0')}.${language}`, `${code}\nexport {};\n`);
  }
}
if (count === 0) throw new Error('There is no example to compile.');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '--project', 'tsconfig.json'], { stdio: 'inherit' });
console.log(`${count} examples compile`);
