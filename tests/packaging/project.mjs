// Projects of somebody who installs the package: what `npm pack` makes of it, and nothing else of this repository.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

/** Packs the package. `project` makes another project that has it installed, with the apps of this folder. */
export async function pack() {
  const folder = await mkdtemp(join(tmpdir(), 'mqlite-packaging-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, join(here, '../../js')]);
  const tarball = join(folder, JSON.parse(stdout)[0].filename);
  let count = 0;
  return {
    async project(name) {
      const root = join(folder, `${(count += 1)}-${name.replaceAll(/\W+/g, '-')}`);
      await cp(join(here, 'apps'), root, { recursive: true });
      await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'somebody', private: true }));
      await run('npm', ['install', '--offline', '--no-package-lock', tarball], { cwd: root });
      for (const name of ['ws', 'vitest']) await symlink(join(here, 'node_modules', name), join(root, 'node_modules', name));
      return root;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Writes an app that imports the package from elsewhere, and returns its name. */
export async function withEntry(root, app, entry) {
  const name = `other-${app}`;
  const text = await readFile(join(root, app), 'utf8');
  await writeFile(join(root, name), text.replace(/'mqlite(\/broker)?'/, `'${entry}'`));
  return name;
}

/** Writes the examples of a document, each as a file: those for a test runner, and those that run alone. */
export async function writeExamples(root, document) {
  const files = { vitest: [], nodeTest: [], alone: [] };
  const text = await readFile(document, 'utf8');
  for (const [index, [, code]] of [...text.matchAll(/^```[jt]s\n(.*?)^```/gms)].entries()) {
    const runner = code.includes("'vitest'") ? 'vitest' : code.includes("'node:test'") ? 'nodeTest' : 'alone';
    // vitest knows TypeScript, and what is new in it; Node knows neither yet, and the others need neither.
    const name = `example-${index}.${{ vitest: 'test.ts', nodeTest: 'test.mjs', alone: 'mjs' }[runner]}`;
    await writeFile(join(root, name), code);
    files[runner].push(name);
  }
  return files;
}

/** A page that runs a script, in a folder of the project. */
export async function writePage(root, folder, script, head = '') {
  await mkdir(join(root, folder), { recursive: true });
  const page = `<!doctype html><html lang="en"><title>app</title>${head}<script type="module" src="${script}"></script></html>`;
  await writeFile(join(root, folder, 'index.html'), page);
  return join(root, folder);
}
