// Compares what the hot paths cost with snapshot.json: instructions and allocations of each, bytes of an idle connection, and the
// sizes of the WebAssembly. A figure that moved by more than 5 % fails, in either direction; ACCEPT=1 writes them all anew.
// Instructions are those of our own code alone: those of the C library differ from one processor and system to the next.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const run = promisify(execFile);
const repository = new URL('../..', import.meta.url).pathname;
const snapshot = new URL('snapshot.json', import.meta.url);
const program = join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'guard/release/mqlite-guard');

/** By how much a figure may move, as a part of it. */
const TOLERANCE = 0.05;
/** Where a figure is a small part of one, so much is no movement: 5 % of one instruction, or of nothing. */
const LEAST = 0.01;

const AT_ONCE = 2;

const found = await measure();
const { stdout: rustc } = await run('rustc', ['--version']);
if (process.env.ACCEPT) {
  await writeFile(snapshot, `${JSON.stringify({ rustc: rustc.trim(), figures: found }, undefined, 2)}\n`);
  console.log(`snapshot.json has ${Object.keys(found).length} figures.`);
} else {
  await compare(JSON.parse(await readFile(snapshot, 'utf8')));
}

/** Every figure by its name. */
async function measure() {
  const [paths, folder] = [(await run(program)).stdout.trim().split('\n'), await mkdtemp(join(tmpdir(), 'guard-'))];
  const results = new Map();
  const waiting = [...paths];
  const work = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) results.set(path, await measureOne(path, folder));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await rm(folder, { recursive: true });

  const figures = {};
  for (const path of paths) Object.assign(figures, results.get(path));
  for (const name of ['client', 'broker']) {
    const bytes = await readFile(join(repository, `js/wasm/${name}_bg.wasm`));
    figures[`${name}.wasm: bytes`] = bytes.length;
    figures[`${name}.wasm: bytes, gzipped`] = gzipSync(bytes, { level: 9 }).length;
  }
  return figures;
}

async function measureOne(path, folder) {
  const round = (value) => Number(value.toPrecision(5));
  if (path.startsWith('an idle')) {
    const { count, bytes } = JSON.parse((await run(program, [path])).stdout);
    return { [`${path}: bytes`]: round(bytes / count) };
  }
  const out = join(folder, path.replaceAll(/\W/g, '-'));
  const options = ['--tool=callgrind', '--collect-atstart=no', '--toggle-collect=guard_measured', `--callgrind-out-file=${out}`];
  const { stdout } = await run('valgrind', [...options, program, path]);
  const { count, allocations } = JSON.parse(stdout);
  const instructions = ownInstructions(await readFile(out, 'utf8'));
  if (instructions === 0) throw new Error(`${path}: callgrind has counted nothing`);
  return { [`${path}: instructions`]: round(instructions / count), [`${path}: allocations`]: round(allocations / count) };
}

/** What a callgrind file says was spent in the program itself; calls are counted where they lead to. */
function ownInstructions(text) {
  let [own, object, isCall, total] = [undefined, undefined, false, 0];
  const names = new Map();
  for (const line of text.split('\n')) {
    const place = /^ob=\((\d+)\)(?: (.*))?$/.exec(line);
    if (place) {
      if (place[2]) names.set(place[1], place[2]);
      object = names.get(place[1]);
      own = object?.endsWith('/mqlite-guard');
    } else if (line.startsWith('cob=')) {
      const [, id, name] = /^cob=\((\d+)\)(?: (.*))?$/.exec(line);
      if (name) names.set(id, name);
    } else if (line.startsWith('calls=')) {
      isCall = true;
    } else if (/^[+\-*\d]/.test(line)) {
      if (own && !isCall) total += Number(line.split(' ')[1]);
      isCall = false;
    }
  }
  return total;
}

async function compare({ rustc: wasRustc, figures: expected }) {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const moved = names.filter((name) => {
    const [was, is] = [expected[name], found[name]];
    return was === undefined || is === undefined || Math.abs(is - was) > Math.max(TOLERANCE * was, LEAST);
  });
  for (const name of moved) {
    const [was, is] = [expected[name], found[name]];
    const change = was > 0 && is !== undefined ? ` (${is > was ? '+' : ''}${(((is - was) / was) * 100).toFixed(1)} %)` : '';
    console.log(`moved: ${name}: ${was ?? 'new'} -> ${is ?? 'gone'}${change}`);
  }
  if (moved.length > 0) {
    console.log('\nIf that is what you want, accept it: `make guard ACCEPT=1`, and say why in the commit.');
    if (rustc.trim() !== wasRustc) console.log(`The snapshot is of ${wasRustc}, and this is ${rustc.trim()}: that may be why.`);
  }
  console.log(`${names.length - moved.length} passed, ${moved.length} failed`);
  process.exitCode = moved.length > 0 ? 1 : 0;
}
