// Processes that a benchmark measures: each pinned to a core and stopped by its own id, and what the kernel counts of them.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The core of what is measured, and that of what puts load on it. */
export const MEASURED_CORE = 0;
export const LOAD_CORE = 1;

const running = new Set();

/**
 * Starts a command on one core. `ready` is what one of its lines on stdout or stderr must match before it counts as started; the match
 * is kept. Rejects, with the end of what it wrote, when it ends before.
 */
export async function start(command, args, { core, ready, cwd, env, onLine = () => {} } = {}) {
  const [file, ...rest] = core === undefined ? [command, ...args] : ['taskset', '-c', `${core}`, command, ...args];
  const child = spawn(file, rest, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const name = basename(command);
  const measured = new Process(child, name);
  running.add(measured);
  for (const end of ['exit', 'error']) child.once(end, () => running.delete(measured));
  const lines = [];
  const matched = new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${name} cannot be started: ${error.message}`)));
    child.once('close', (code, signal) => reject(new Error(`${name} ended with ${signal ?? code}: ${lines.slice(-3).join(' / ')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line);
        if (lines.length > 100) lines.shift();
        onLine(line);
        const match = ready && line.match(ready);
        if (match) resolve(match);
      });
    }
    if (!ready) child.once('spawn', () => resolve(null));
  });
  matched.catch(() => {}); // it may also end later, when nobody waits for it any more
  measured.lines = lines;
  measured.match = await matched;
  return measured;
}

/** Ends all that is still there: when the benchmark ends, whyever. */
export async function stopAll() {
  await Promise.all([...running].map((measured) => measured.kill()));
}

process.on('exit', () => {
  for (const { child } of running) child.kill('SIGKILL');
});

/** Has a module do a task in a Node process of its own, where it calls `answerProcess`. Resolves with what came of it. */
export async function askProcess(address, task) {
  const args = ['--expose-gc', fileURLToPath(address), JSON.stringify(task)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 }).catch(({ stderr, message }) => {
    throw new Error(/^\w*Error: (.*)/m.exec(stderr)?.[1] ?? message);
  });
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{') + 1));
}

/** The other side of that; elsewhere it does nothing. */
export async function answerProcess(address, perform) {
  if (process.argv[1] !== fileURLToPath(address)) return;
  console.log(`\n${JSON.stringify(await perform(JSON.parse(process.argv[2])))}`);
  process.exit();
}

class Process {
  constructor(child, command) {
    this.child = child;
    this.command = command;
    this.ended = once(child, 'close').catch(() => []);
  }

  get pid() {
    return this.child.pid;
  }

  /** Seconds that all its threads have had a core, in user and kernel mode. */
  cpuSeconds() {
    const [, rest] = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(/\) (?=[^)]*$)/);
    const fields = rest.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** Bytes of memory that it has now, and the most that it had since `forgetPeak`. */
  memory() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const bytes = (key) => Number(status.match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
    return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
  }

  forgetPeak() {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  /** Asks it to end, and ends it where that takes more than 10 seconds. */
  async stop() {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    this.child.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Ticks of a second in /proc: the same on every Linux. */
const TICKS = 100;
