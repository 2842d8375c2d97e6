// node .ci/spec.mjs [--modules=NAME,...] [--table] HOST...: runs the scripts of tests/spec on each host, and writes the table of them all.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HOSTS = {
  'in-process': 'in-process',
  asleep: 'in-process, asleep between any two inputs',
  tcp: 'native, TCP',
  ws: 'native, WebSocket',
  worker: 'worker in workerd',
  'worker-asleep': 'worker that sleeps whenever it can',
  wasm: 'wasm under Node',
};
const CARGO = ['test', '--quiet', '--features', 'native', '--test', 'spec', '--'];

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = new URL('../tests/spec/', import.meta.url);

const { values, positionals: hosts } = parseArgs({
  options: { modules: { type: 'string' }, table: { type: 'boolean' } },
  allowPositionals: true,
});
const scripts = list();
const inProcessAlone = excuses('in_process.txt');
const notAsleep = excuses('asleep.txt');
const notWorkerAsleep = new Map([...inProcessAlone, ...notAsleep, ...excuses('worker_asleep.txt')]);
const allModules = [...new Set(scripts.map(moduleOf))];
const modules = values.modules?.split(',') ?? allModules;
for (const module of modules) if (!allModules.includes(module)) fail(`tests/spec has no module ${module}`);
const results = {};
for (const host of hosts) results[host] = await run(host);
if (values.table) writeFileSync(new URL('HOSTS.md', folder), table());
process.exitCode = hosts.every((host) => results[host].every(({ passed }) => passed)) ? 0 : 1;

/** The names of all scripts. */
function list() {
  const { status, stdout } = spawnSync('cargo', [...CARGO, '--list'], { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) process.exit(1);
  return stdout.split('\n').filter((line) => line.endsWith(': test')).map((line) => line.slice(0, -': test'.length)).sort();
}

/** The scripts that a file excuses from a host, each with the reason. */
function excuses(file) {
  const reasons = new Map();
  let reason;
  for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      reason = line.slice(1, -1);
      continue;
    }
    // A name that ends with `::` is a module.
    const named = scripts.filter((name) => name === line || (line.endsWith('::') && name.startsWith(line)));
    if (named.length === 0) fail(`tests/spec/${file}: there is no script ${line}`);
    for (const name of named) reasons.set(name, reason);
  }
  return reasons;
}

/** What became of each script on that host. One that is not heard of has failed. */
async function run(host) {
  if (!(host in HOSTS)) fail(`There is no host ${host}; there are ${Object.keys(HOSTS).join(', ')}.`);
  const excused = { 'in-process': new Map(), asleep: notAsleep, 'worker-asleep': notWorkerAsleep }[host] ?? inProcessAlone;
  const chosen = scripts.filter((name) => modules.includes(moduleOf(name)) && !excused.has(name));
  console.log(`\n${HOSTS[host]}:`);
  const cargo = spawn('cargo', [...CARGO.filter((word) => word !== '--quiet'), '--exact', ...chosen], {
    cwd: repository,
    env: { ...process.env, MQLITE_HOST: host },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const passed = new Set();
  for await (const line of createInterface(cargo.stdout)) {
    const name = /^test (\S+) \.\.\. ok$/.exec(line)?.[1];
    if (name) passed.add(name);
    else console.log(line);
  }
  return chosen.map((name) => ({ name, passed: passed.has(name) }));
}

function table() {
  const count = (list) => list.filter(({ passed }) => passed).length;
  const totals = hosts.map((host) => {
    const ran = results[host];
    return [HOSTS[host], ran.length, count(ran), ran.length - count(ran)];
  });
  const byModule = modules.map((module) => {
    const counts = hosts.map((host) => {
      const ran = results[host].filter(({ name }) => moduleOf(name) === module);
      if (ran.length === 0) return '–';
      return ran.every(({ passed }) => passed) ? count(ran) : `${count(ran)} of ${ran.length}`;
    });
    return [module, ...counts];
  });
  return `# The scripts on every host

Written by \`make spec-all\`. A script is one test of this folder; it runs for MQTT 3.1.1 and 5.0 where both have the rule.

${rows(['host', 'scripts run', 'passed', 'failed'], totals)}

## By module

Scripts that passed; of how many, where some did not.

${rows(['module', ...hosts.map((host) => HOSTS[host])], byModule)}

## In-process alone

${excusedFrom(inProcessAlone)} need the broker in their own process. [in_process.txt](in_process.txt) names them.

${byReason(inProcessAlone)}

## Not asleep

${excusedFrom(notAsleep)} do not run with a broker that is restored, with its connections, after each input. [asleep.txt](asleep.txt) names them.

${byReason(notAsleep)}
`;
}

function excusedFrom(excused) {
  return `${excused.size} of ${scripts.length} scripts (${((100 * excused.size) / scripts.length).toFixed(1)} %)`;
}

function byReason(excused) {
  const reasons = [...excused.values()];
  return rows(['because', 'scripts'], [...new Set(reasons)].map((reason) => [reason, reasons.filter((other) => other === reason).length]));
}

function rows(head, lines) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...lines].map(row).join('\n');
}

function moduleOf(name) {
  return name.split('::')[0];
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
