// node bench.mjs: runs the scenarios of all modules, and writes the tables. ONLY=pattern, REPEATS=n, QUICK=1, WRITE=1.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { run } from './harness.mjs';
import { stopAll } from './processes.mjs';
import { summaryOf, tablesOf, writeBetween } from './tables.mjs';

/** Each exports its `title`, its `scenarios`, and maybe a `prepare` that builds what they need and `about`, which names who is there. */
const MODULES = ['native', 'process', 'tab', 'client', 'workerd'];

const repository = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${repository}target/bench`;
const file = `${folder}/results.json`;
const only = new RegExp(process.env.ONLY ?? '');
const quick = Boolean(process.env.QUICK);
const repeats = Number(process.env.REPEATS ?? (quick ? 1 : 5));
const isWhole = !process.env.ONLY && !quick;

if (process.platform !== 'linux' || cpus().length < 2) {
  console.error('error: this needs Linux and two cores: one for what is measured, one for the load.');
  process.exit(1);
}

let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (isStopped) process.exit(130);
    isStopped = true;
    await stopAll();
  });
}

mkdirSync(folder, { recursive: true });
const begun = Date.now();
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: repository, encoding: 'utf8' }).trim();
const machine = `${cpus().length} cores of ${cpus()[0].model.trim()}, Linux ${release().split('-')[0]}, Node ${process.versions.node}`;
const results = existsSync(file) && !isWhole ? JSON.parse(readFileSync(file, 'utf8')) : {};
let failed = 0;
try {
  for (const name of MODULES) {
    if (!existsSync(new URL(`${name}.mjs`, import.meta.url)) || isStopped) continue;
    try {
      await measure(name, await import(`./${name}.mjs`));
    } catch (error) {
      failed += 1;
      console.error(`${name} failed:`, error);
    }
  }
  if (!isStopped && (isWhole || process.env.WRITE)) await write();
} finally {
  await stopAll();
}
process.exit(isStopped ? 130 : failed);

async function measure(name, { title, scenarios: all, prepare }) {
  const scenarios = all.filter((scenario) => only.test(`${name}/${scenario.name}`));
  if (scenarios.length === 0) return;
  await prepare?.({ quick });
  for (const [index, scenario] of scenarios.entries()) {
    const progress = (line) => console.log(`${elapsed()} ${name} ${index + 1}/${scenarios.length} ${line}`);
    const result = await run(scenario, { repeats, quick, progress, stopped: () => isStopped });
    if (isStopped) return;
    results[`${name}/${scenario.name}`] = { ...result, commit, machine, at: new Date().toISOString().slice(0, 10) };
    writeFileSync(file, JSON.stringify(results, null, 1));
  }
  console.log(`\n## ${title}\n\n${tablesOf(scenarios.map((scenario) => results[`${name}/${scenario.name}`]))}\n`);
}

/** Writes both documents from all results that there are, in the order of the modules. */
async function write() {
  const parts = [];
  const all = [];
  for (const name of MODULES) {
    if (!existsSync(new URL(`${name}.mjs`, import.meta.url))) continue;
    const { title, scenarios, about } = await import(`./${name}.mjs`);
    const found = scenarios.flatMap((scenario) => results[`${name}/${scenario.name}`] ?? []);
    if (found.length === 0) continue;
    const rounds = [...new Set(found.map((result) => result.rounds.length))].sort((one, other) => one - other).join(' or ');
    const commits = [...new Set(found.map((result) => result.commit))].join(', ');
    const who = about ? `${about()}; ` : '';
    parts.push(`## ${title}`, `${who}${rounds} rounds, at ${commits}, ${found[0].at}.`, tablesOf(found));
    all.push(...found);
  }
  writeBetween(`${repository}tests/bench/RESULTS.md`, 'results', `\nOn ${machine}.\n\n${parts.join('\n\n')}\n`);
  writeBetween(`${repository}README.md`, 'bench', `\n${summaryOf(all)}\n`);
}

function elapsed() {
  const seconds = Math.round((Date.now() - begun) / 1000);
  return `[${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}]`;
}
