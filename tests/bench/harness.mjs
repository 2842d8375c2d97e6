// What all benchmarks share: interleaved rounds, medians, and ratios within rounds. It knows no broker and no protocol.

/**
 * @typedef {object} Scenario
 * @property {string} name such as `1_1_qos0_p16`: publishers, subscribers, QoS, bytes of payload
 * @property {Record<string, (options: Options) => Promise<Record<string, number>>>} contestants the first is ours; each takes one
 *   measurement and resolves with its figures. What it throws is told in the table, and it is not asked again.
 * @property {string} [figure] the figure that is compared, `rate` by default
 * @property {string} [unit] what it counts, `messages/s` by default
 * @property {'more' | 'less'} [better] which of two is better, `more` by default
 * @property {Goal[]} [goals] what ours is to reach
 * @property {string} [text] a sentence about it, for the summary
 * @property {boolean} [summary] whether it belongs into the table of the README
 * @property {() => Promise<unknown>} [open] what all rounds share; its outcome is `options.shared`
 * @property {(shared: unknown) => Promise<void>} [close] ends that
 *
 * @typedef {object} Goal what the median is to be at least or at most, or the median of the ratios to another contestant at least
 * @property {number} [least]
 * @property {number} [most]
 * @property {number} [ratio]
 * @property {string} [against]
 * @property {string} [figure] another figure than that of the scenario
 * @property {'more' | 'less'} [better] which is better of that figure, as in the scenario by default
 *
 * @typedef {{ quick: boolean, round: number, shared: unknown }} Options
 */

/** Runs each contestant once a round, in an order that turns by one each round. Resolves with all figures and what follows from them. */
export async function run(scenario, { repeats = 5, quick = false, progress = () => {}, stopped = () => false } = {}) {
  const names = Object.keys(scenario.contestants);
  const rounds = [];
  const failures = {};
  const shared = await scenario.open?.();
  try {
    for (let round = 0; round < repeats; round += 1) {
      const figures = {};
      for (const name of turned(names, round)) {
        if (name in failures || stopped()) continue;
        const begun = performance.now();
        try {
          figures[name] = await scenario.contestants[name]({ quick, round, shared });
        } catch (error) {
          if (!stopped()) failures[name] = sentenceOf(error);
        }
        const outcome = name in failures ? `failed: ${failures[name]}` : told(figures[name] ?? {});
        progress(`${scenario.name} ${round + 1}/${repeats} ${name}: ${outcome} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
      }
      rounds.push(figures);
    }
  } finally {
    await scenario.close?.(shared);
  }
  return evaluate(scenario, rounds, failures);
}

/** What the rounds of a scenario come to: medians of each figure, ratios to ours, and which goals are reached. */
export function evaluate(scenario, rounds, failures = {}) {
  const { name, text, summary = false, figure = 'rate', unit = 'messages/s', better = 'more', goals = [] } = scenario;
  const [ours, ...others] = Object.keys(scenario.contestants);
  const contestants = {};
  for (const contestant of [ours, ...others]) {
    const keys = new Set(rounds.flatMap((figures) => Object.keys(figures[contestant] ?? {})));
    const medians = {};
    for (const key of keys) medians[key] = median(rounds.map((figures) => figures[contestant]?.[key]));
    contestants[contestant] = { medians, ratio: ratioOf(rounds, ours, contestant, figure, better), failed: failures[contestant] };
  }
  const outcomes = goals.map((goal) => {
    const key = goal.figure ?? figure;
    const value = goal.against
      ? ratioOf(rounds, ours, goal.against, key, goal.better ?? better)
      : contestants[ours].medians[key];
    const isReached = value !== undefined && value >= (goal.ratio ?? goal.least ?? -Infinity) && value <= (goal.most ?? Infinity);
    return { ...goal, figure: key, value, isReached };
  });
  return { name, text, summary, figure, unit, better, ours, contestants, goals: outcomes, rounds };
}

/** The median of the ratios within rounds by which `ours` is better than `other`; nothing where they have no round in common. */
export function ratioOf(rounds, ours, other, figure, better = 'more') {
  const ratios = rounds.map((figures) => {
    const [one, two] = [figures[ours]?.[figure], figures[other]?.[figure]];
    return better === 'more' ? one / two : two / one;
  });
  return median(ratios);
}

/** The median of what numbers there are; nothing of none. */
export function median(numbers) {
  const sorted = numbers.filter((number) => Number.isFinite(number)).sort((one, other) => one - other);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The names, begun with another one each round, so that none always comes first. */
export function turned(names, round) {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}

function told(figures) {
  return Object.entries(figures)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4)).toLocaleString('en')}`)
    .join(', ');
}

function sentenceOf(error) {
  return (error instanceof Error ? error.message : `${error}`).split('\n')[0].slice(0, 200);
}
