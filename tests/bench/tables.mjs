// Writes what the benchmarks found as Markdown: tables for RESULTS.md, a summary for the README, each between its markers.
import { readFileSync, writeFileSync } from 'node:fs';

/** Tables of all scenarios of a module: the figure that is compared, then each other one that any contestant has. */
export function tablesOf(scenarios) {
  const parts = [];
  for (const [heading, group] of grouped(scenarios, ({ figure, unit }) => `${figure}, ${unit}`)) {
    parts.push(`**${heading}** (in brackets: how many times ours is better)`, table(group, compared));
  }
  for (const [key, { heading, tell }] of Object.entries(FIGURES)) {
    const group = scenarios.filter((scenario) => scenario.figure !== key && has(scenario, key));
    if (group.length > 0) parts.push(`**${heading}**`, table(group, (scenario, { medians }) => tell(medians)));
  }
  const missed = scenarios.flatMap((scenario) => missedOf(scenario).map((goal) => `- ${scenario.name}: ${goal}`));
  if (missed.length > 0) parts.push('**Goals that are missed**', missed.join('\n'));
  const failures = scenarios.flatMap(({ name, contestants }) =>
    Object.entries(contestants).flatMap(([who, { failed }]) => (failed ? [`- ${name}, ${who}: ${failed}`] : [])),
  );
  if (failures.length > 0) parts.push('**What failed**', failures.join('\n'));
  return parts.join('\n\n');
}

/** The scenarios that are for the README: what ours does, the others, and whether the goals are reached. */
export function summaryOf(scenarios) {
  const rows = scenarios.filter(({ summary }) => summary).map((scenario) => {
    const { medians } = scenario.contestants[scenario.ours];
    const others = Object.entries(scenario.contestants)
      .filter(([name]) => name !== scenario.ours)
      .map(([name, { ratio, failed }]) => (failed ? `${name} failed` : `${name} ${times(ratio)}`));
    const missed = missedOf(scenario);
    const goals = missed.length > 0 ? `missed: ${missed.join('; ')}` : scenario.goals.some(({ isReached }) => isReached) ? 'reached' : '';
    const ours = medians[scenario.figure] === undefined ? 'failed' : `${count(medians[scenario.figure])} ${scenario.unit}`;
    return [scenario.text ?? scenario.name, ours, others.join(', '), goals];
  });
  return lines(['scenario', 'MQlite', 'times the', 'goal'], rows);
}

/** Puts `text` between `<!-- NAME -->` and `<!-- /NAME -->` of a file. */
export function writeBetween(file, name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = readFileSync(file, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} with ${end} behind it`);
  writeFileSync(file, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`);
}

/** Each goal that is not reached, with what there is instead. One against somebody who failed is none, unless ours failed too. */
function missedOf({ goals, contestants, ours }) {
  return goals
    .filter(({ isReached, against }) => !isReached && (contestants[ours].failed || !contestants[against]?.failed))
    .map((goal) => `${goalText(goal)}, ${valueText(goal)}`);
}

function table(scenarios, cell) {
  const names = [...new Set(scenarios.flatMap(({ contestants }) => Object.keys(contestants)))];
  const rows = scenarios.map((scenario) => [
    scenario.name,
    ...names.map((name) => {
      const contestant = scenario.contestants[name];
      if (!contestant) return '';
      return contestant.failed ? 'failed' : cell(scenario, contestant, name);
    }),
  ]);
  return lines(['scenario', ...names], rows);
}

function compared({ figure, ours }, { medians, ratio }, name) {
  const value = medians[figure] === undefined ? '-' : count(medians[figure]);
  return name === ours || ratio === undefined ? value : `${value} (${times(ratio)})`;
}

function lines(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function has({ contestants }, key) {
  return Object.values(contestants).some(({ medians }) => medians[key] !== undefined);
}

function goalText({ against, ratio, least, most, figure }) {
  const what = figure === 'rate' ? '' : ` (${NAMES[figure] ?? figure})`;
  if (against) return `${ratio} x ${against}${what}`;
  return (least === undefined ? `at most ${most.toLocaleString('en')}` : `at least ${least.toLocaleString('en')}`) + what;
}

function valueText({ against, value }) {
  if (value === undefined) return 'not measured';
  return `has ${against ? times(value) : count(value)}`;
}

const times = (ratio) => (ratio === undefined ? '-' : `${ratio.toFixed(ratio < 10 ? 2 : 1)} x`);
const count = (number) => Number(number.toPrecision(3)).toLocaleString('en');
const micros = (number) => (number === undefined ? '-' : count(number));

/** What figures are called in the summary. */
const NAMES = { p99Same: 'p99 at the same rate', bytesEach: 'bytes' };

/** What a contestant may resolve with beside the figure that is compared. */
const FIGURES = {
  p99: {
    heading: 'Latency at half of that (or of connecting), p50 / p95 / p99, microseconds',
    tell: ({ p50, p95, p99 }) => [p50, p95, p99].map(micros).join(' / '),
  },
  p99Same: {
    heading: 'Latency at a rate that is the same for all, p50 / p95 / p99, microseconds',
    tell: ({ p50Same, p95Same, p99Same }) => [p50Same, p95Same, p99Same].map(micros).join(' / '),
  },
  cpuMicros: { heading: 'CPU time of what is measured for each message, microseconds', tell: ({ cpuMicros }) => micros(cpuMicros) },
  core: {
    heading: 'Share of its core that the broker had / the load had of its own, percent',
    tell: ({ core, loadCore }) => [core, loadCore].map((share) => (share === undefined ? '-' : (100 * share).toFixed(0))).join(' / '),
  },
  peakBytes: {
    heading: 'Peak memory of the broker, MB',
    tell: ({ peakBytes }) => (peakBytes === undefined ? '-' : count(peakBytes / 1e6)),
  },
  lost: { heading: 'Messages lost, of a million', tell: ({ lost }) => micros(lost) },
};
