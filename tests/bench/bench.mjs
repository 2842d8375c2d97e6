// node bench.mjs: runs the scenarios of all modules, and writes the tables. ONLY=pattern, REPEATS=n, QUICK=1, WRITE=1.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { run } from './harness.mjs';
import { stopAll } from './processes.mjs';
import { summaryOf, tablesOf, writeBetween } from './tables.mjs';

/** Each exports its `title`, its `scenarios`, and maybe a `prepare` that builds what they need. */
const MODULES = ['native', 'process', 'tab', 'client', 'workerd'];

const repository = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${repository}target/bench`;
const file = `${folder}/results.json`;
const only = new RegExp(process.env.ONLY ?? '');
const quick = Boolean(process.env.QUICK);
const repeats = Number(process.env.REPEATS ?? (quick ? 1 : 5));
const isWhole = !process.env.ONLY && !quick;

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
const machine = `${cpus().length} cores of ${cpus()[0].model.trim()}, Linux ${release()}, Node ${process.versions.node}`;
const results = existsSync(file) && !isWhole ? JSON.parse(readFileSync(file, 'utf8')) : {};
try {
  for (const name of MODULES) {
    if (!existsSync(new URL(`${name}.mjs`, import.meta.url)) || isStopped) continue;
    const module = await import(`./${name}.mjs`);
    const scenarios = module.scenarios.filter((scenario) => only.test(`${name}/${scenario.name}`));
    if (scenarios.length === 0) continue;
    await module.prepare?.({ quick });
    for (const [index, scenario] of scenarios.entries()) {
      if (isStopped) break;
      const progress = (line) => console.log(`${elapsed()} ${name} ${index + 1}/${scenarios.length} ${line}`);
      const result = await run(scenario, { repeats, quick, progress, stopped: () => isStopped });
      if (isStopped) break;
      results[`${name}/${scenario.name}`] = { ...result, module: name, commit, machine, at: new Date().toISOString().slice(0, 10) };
      writeFileSync(file, JSON.stringify(results, null, 1));
    }
    if (!isStopped) console.log(`\n## ${module.title}\n\n${tablesOf(scenarios.flatMap((scenario) => results[`${name}/${scenario.name}`] ?? []))}\n`);
  }
  if (!isStopped && (isWhole || process.env.WRITE)) await write();
} finally {
  await stopAll();
}
process.exit(isStopped ? 130 : 0);

/** Writes both documents from all results that there are, in the order of the modules. */
async function write() {
  const parts = [];
  const all = [];
  for (const name of MODULES) {
    const ofModule = Object.values(results).filter(({ module }) => module === name);
    if (ofModule.length === 0) continue;
    const { title } = await import(`./${name}.mjs`);
    const commits = [...new Set(ofModule.map(({ commit }) => commit))].join(', ');
    const [{ at }] = ofModule;
    parts.push(`## ${title}`, `${ofModule[0].rounds.length} rounds, at ${commits}, ${at}.`, tablesOf(ofModule));
    all.push(...ofModule);
  }
  writeBetween(`${repository}tests/bench/RESULTS.md`, 'results', `\nOn ${machine}.\n\n${parts.join('\n\n')}\n`);
  writeBetween(`${repository}README.md`, 'bench', `\n${summaryOf(all)}\n`);
}

function elapsed() {
  const seconds = Math.round((Date.now() - begun) / 1000);
  return `[${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}]`;
}
