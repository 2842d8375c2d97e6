// `make attack`: how much longer messages of well-behaved clients take while others attack their room. Starts the built Worker in
// workerd; the well-behaved are one process, the attackers another, and windows with and without attackers take turns.

import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { start } from '../local.mjs';
import { KINDS } from './kinds.mjs';

const {
  PAIRS = '500',
  ATTACKERS = '100',
  WINDOWS = '6',
  SECONDS = '10',
  LEAD = '10',
  LOAD = '0.5',
  RATE,
  KIND = Object.keys(KINDS).join(),
} = process.env;
const kinds = KIND.split(',');
const unknown = kinds.filter((kind) => !Object.hasOwn(KINDS, kind));
if (unknown.length > 0) {
  console.error(`There is no kind ${unknown.join()}: KIND may be some of ${Object.keys(KINDS).join()}.`);
  process.exit(2);
}

const pairs = Number(PAIRS);
const seconds = Number(SECONDS);
const lead = Number(LEAD);
const path = '/mqtt/attacked';
const { vars } = unstable_readConfig({ config: fileURLToPath(new URL('../wrangler.jsonc', import.meta.url)) });

/** What is asked of the room: so many publishers at their limit. */
const rate = Number(RATE) || (await withRoom({ publishMessagesPerSecond: 100_000 }, calibrate));
const limit = Math.max(1, Math.ceil(rate / pairs));
const publishers = Math.min(pairs, Math.max(1, Math.round(rate / limit)));
await withRoom({ publishMessagesPerSecond: limit }, attack);

async function withRoom(limits, task) {
  const workerd = await start({ settings: { limits: { ...vars.SETTINGS.limits, ...limits } } });
  const good = helper('good-clients.mjs');
  const attackers = helper('attackers.mjs');
  try {
    await good('connect', { pairs, port: workerd.port, path });
    return await task(workerd, good, attackers);
  } finally {
    good.end();
    attackers.end();
    await workerd.stop();
  }
}

/**
 * The messages a second that keep the room's thread busy for `LOAD` of the time. Not a part of what it can do at most: where many
 * messages wait it does them together, so that at half of that rate it is busy for far more than half of the time, and what is left
 * says how much attackers may take.
 */
async function calibrate(workerd, good) {
  const [load, seconds] = [Number(LOAD), 5];
  await good('measure', { seconds, rate: pairs });
  let rate = pairs;
  for (let round = 0; round < 5; round += 1) {
    const before = await processor(workerd.pid);
    await good('measure', { seconds, rate });
    // Of the time in which they were published: on a machine that is busy with something else they may take longer to come.
    const used = ((await processor(workerd.pid)) - before) / seconds;
    console.log(`${2 * pairs} clients, ${Math.round(rate)} messages/s: the room's thread is busy for ${percent(used)} of the time`);
    if (Math.abs(used - load) < 0.02) break;
    rate *= Math.min(2, Math.max(0.5, load / used));
  }
  return rate;
}

async function attack(workerd, good, attackers) {
  // As much as the limit allows, and no more.
  const asked = limit * publishers * 0.98;
  console.log(
    `${publishers} of ${pairs} publishers at their limit of ${limit} messages/s, half of them at QoS 1, and ${pairs} subscribers; ` +
      `${ATTACKERS} attackers: ${kinds.join(', ')}. Windows of ${seconds} s; the first ${lead} s of an attack are one by themselves.\n`,
  );
  row(['', 'messages', 'p50 ms', 'p99 ms', 'worst', 'held back', 'lost QoS 0', 'QoS 1', 'doubled', 'closed', 'room CPU', 'memory MB', 'generator CPU', 'its p99 late']);
  await good('measure', { seconds: 10, rate: asked, publishers });
  const ratios = { begins: [], attacked: [] };
  const measured = (name, seconds) => measure(workerd, good, { name, rate: asked, publishers, seconds });
  const attacked = async (round) => {
    await attackers('start', { kinds, count: Number(ATTACKERS), round, port: workerd.port, path });
    // Those who attack have done nothing wrong yet: more of them are let in than later.
    const begins = await measured('begins', lead);
    const { p99 } = await measured('attacked', seconds);
    const sums = await attackers('stop');
    if (round === 0) tell(sums);
    await sleep(2000);
    return { begins: begins.p99, attacked: p99 };
  };
  for (let round = 0; round < Number(WINDOWS); round += 1) {
    // Each comes first as often as the other: the room may grow faster, or slower, with time.
    let without, under;
    for (const isAttacked of round % 2 ? [true, false] : [false, true]) {
      if (isAttacked) under = await attacked(round);
      else without = (await measured('without', seconds)).p99;
    }
    for (const [name, of] of Object.entries(ratios)) of.push(under[name] / without);
    console.log(`  p99 with : without = ${ratios.attacked.at(-1).toFixed(2)}; while it begins ${ratios.begins.at(-1).toFixed(2)}`);
  }
  const { without, begins, attacked: under } = await good('pooled');
  console.log(
    `\np99 of all messages is ${without.toFixed(1)} ms without, ${under.toFixed(1)} ms under attack, ${(under / without).toFixed(2)} times as much, and ` +
      `${begins.toFixed(1)} ms in its first ${lead} s, ${(begins / without).toFixed(2)} times.\n` +
      `Window by window it is ${median(ratios.attacked)} times, and ${median(ratios.begins)} times in its first ${lead} s.`,
  );
}

/** Of ratios, with all of them. */
function median(ratios) {
  const sorted = ratios.toSorted((one, other) => one - other);
  const middle = (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
  return `${middle.toFixed(2)} (${sorted.map((ratio) => ratio.toFixed(2)).join(', ')})`;
}

async function measure(workerd, good, parameters) {
  const [cpu, began] = [await processor(workerd.pid), performance.now()];
  const result = await good('measure', parameters);
  const used = ((await processor(workerd.pid)) - cpu) / ((performance.now() - began) / 1000);
  row([
    parameters.name, result.received, result.p50.toFixed(2), result.p99.toFixed(2), result.worst.toFixed(0), result.held, result.lost - result.lost1, result.lost1,
    result.duplicated, result.closed, percent(used), Math.round((await resident(workerd.pid)) / 1e6), percent(result.cpu), `${result.late99.toFixed(1)} ms`,
  ]);
  return result;
}

function tell(sums) {
  for (const [kind, { opened, refused, thrownOut, sent }] of Object.entries(sums)) {
    console.log(`  ${kind}: ${opened} connections, ${refused} refused, ${thrownOut} thrown out, ${(sent / 1e6).toFixed(1)} MB sent`);
  }
}

function percent(part) {
  return `${Math.round(part * 100)} %`;
}

function row(cells) {
  console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(10) : String(cell).padStart(Math.max(9, String(cell).length + 2)))).join(''));
}

/** A process that does orders: `await it(order, parameters)`. */
function helper(file) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)));
  const ask = (order, parameters = {}) =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`${file} has ended.`));
      child.once('exit', ended);
      child.once('message', ({ result, error }) => {
        child.off('exit', ended);
        if (error) reject(new Error(`${file}: ${error}`));
        else resolve(result);
      });
      child.send({ order, ...parameters });
    });
  return Object.assign(ask, { end: () => child.kill() });
}

/** Seconds of processor time that a process has used. */
async function processor(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Bytes of memory that a process has. */
async function resident(pid) {
  return Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]) * 4096;
}
