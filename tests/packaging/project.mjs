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
      await symlink(join(here, 'node_modules/ws'), join(root, 'node_modules/ws'));
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

/** A page that runs a script, in a folder of the project. */
export async function writePage(root, folder, script, head = '') {
  await mkdir(join(root, folder), { recursive: true });
  const page = `<!doctype html><html lang="en"><title>app</title>${head}<script type="module" src="${script}"></script></html>`;
  await writeFile(join(root, folder, 'index.html'), page);
  return join(root, folder);
}
