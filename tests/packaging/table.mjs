// What the rows came to, as the table of the README.
import { readFile, writeFile } from 'node:fs/promises';

const README = new URL('./README.md', import.meta.url);
const HEAD = '| | client alone | broker with client |\n| --- | --- | --- |\n';

/** Shows the table. With TABLE=write it takes the place of the one in the README. */
export async function show(table) {
  const lines = [...table].map(([name, { client, broker }]) => `| ${name} | ${cell(client)} | ${cell(broker)} |\n`);
  const text = HEAD + lines.join('');
  console.log(`\n${text}`);
  if (process.env.TABLE !== 'write') return;
  const readme = await readFile(README, 'utf8');
  await writeFile(README, readme.replace(/\| \| client alone[^]*?\n(?=\n|$)/, text));
}

/** The rows that the README shows. */
export async function rowsOfReadme() {
  const [, rows] = (await readFile(README, 'utf8')).split(HEAD);
  return [...rows.split('\n\n')[0].matchAll(/^\| (.*?) \|/gm)].map(([, name]) => name);
}

/** Kilobytes of what was shipped. */
function cell(weight) {
  if (typeof weight === 'number') return `${(weight / 1000).toFixed(1)} KB`;
  return weight ?? '';
}
