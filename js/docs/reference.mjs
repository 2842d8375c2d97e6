// Writes js/docs/api from the types of the package; with --check tells whether what is there is what they say.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
const isCheck = process.argv.includes('--check');
const out = isCheck ? await mkdtemp(join(tmpdir(), 'mqlite-api-')) : 'api';
const application = await Application.bootstrapWithPlugins({ out, logLevel: 'Warn' });
const project = await application.convert();
if (!project) process.exit(1);
application.validate(project);
await application.generateOutputs(project);
if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exit(1);
if (isCheck) {
  const [said, there] = await Promise.all([pages(out), pages('api')]);
  await rm(out, { recursive: true });
  const stale = Object.keys({ ...said, ...there }).filter((name) => said[name] !== there[name]);
  for (const name of stale) console.error(`js/docs/api/${name} is not what the types say: run \`make reference\`.`);
  if (stale.length > 0) process.exit(1);
}

async function pages(folder) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const markdown = names.filter((name) => name.endsWith('.md'));
  return Object.fromEntries(await Promise.all(markdown.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])));
}
