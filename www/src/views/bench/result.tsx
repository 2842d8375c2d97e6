// How a measurement stands, and what it found.

import type { ComponentChildren } from 'preact';
import { CopyButton } from '../../components/copy-button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Plot } from '../../components/plot.tsx';
import { number, t } from '../../i18n/index.ts';
import type { Bench } from '../../model/bench.ts';
import { publishes } from '../../model/bench-setting.ts';
import { problemText } from '../shell/problem-text.ts';
import { countedText, milliseconds, rateText, reportText, statusText } from './bench-texts.ts';

export function Result({ bench }: { bench: Bench }) {
  const status = bench.status.value;
  const { setting } = bench;
  const isOver = status === 'done' || status === 'stopped' || status === 'failed';
  return (
    <section class="panel bench-result" aria-label={t('bench.result')}>
      <header class="toolbar">
        <h3 class="panel-title">{t(`bench.scenario.${setting.scenario}`)}</h3>
        <span class="muted" role="status">
          {statusText(bench)}
        </span>
        {isOver && <CopyButton label={t('bench.copy')} text={() => reportText(bench)} />}
      </header>
      <progress
        class="bench-progress"
        aria-label={t('bench.progress')}
        max={setting.duration}
        value={status === 'done' ? setting.duration : Math.min(bench.elapsed, setting.duration)}
      />
      {status === 'failed' && <Notice {...failure(bench)} />}
      <Figures bench={bench} />
      {bench.tally.points.length > 0 && <Plots bench={bench} />}
      <Counts bench={bench} isOver={isOver} />
    </section>
  );
}

function Figures({ bench }: { bench: Bench }) {
  const { setting, tally } = bench;
  const { durations } = tally;
  return (
    <dl class="bench-figures">
      <Figure name={t(`bench.rateOf.${setting.scenario}`)} isMain>
        {rateText(bench)}
      </Figure>
      {durations.count > 0 &&
        ([['p50', 0.5], ['p95', 0.95], ['p99', 0.99]] as const).map(([name, part]) => (
          <Figure key={name} name={name}>
            {milliseconds(durations.at(part))}
          </Figure>
        ))}
      {durations.count > 0 && <Figure name={t('bench.most')}>{milliseconds(durations.most)}</Figure>}
    </dl>
  );
}

function Figure({ name, isMain = false, children }: { name: string; isMain?: boolean; children: ComponentChildren }) {
  return (
    <div class={isMain ? 'bench-figure bench-figure-main' : 'bench-figure'}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Plots({ bench: { tally, setting } }: { bench: Bench }) {
  const { points } = tally;
  const times = points.map(({ time }) => time);
  const rates = [{ name: t('bench.perSecond'), values: points.map(({ rate }) => Math.round(rate)) }];
  const durations = (['p50', 'p95', 'p99'] as const).map((name) => ({ name, values: points.map((point) => rounded(point[name])) }));
  return (
    <div class="bench-plots">
      <figure>
        <figcaption>{t(`bench.rateOf.${setting.scenario}`)}</figcaption>
        <Plot label={t(`bench.rateOf.${setting.scenario}`)} times={times} lines={rates} since="beginning" height={PLOT} />
      </figure>
      {tally.durations.count > 0 && (
        <figure>
          <figcaption>{t(`bench.durationOf.${setting.scenario}`)}</figcaption>
          <Plot label={t(`bench.durationOf.${setting.scenario}`)} times={times} lines={durations} since="beginning" height={PLOT} />
        </figure>
      )}
    </div>
  );
}

/** No more than the figures beside the plot say. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}

/** What was really counted, and what was not. */
function Counts({ bench, isOver }: { bench: Bench; isOver: boolean }) {
  const { setting, tally, missing } = bench;
  const isStopped = bench.status.value !== 'done';
  return (
    <div class="bench-counts">
      <dl>
        <Count name={countedText(bench)} count={tally.counted} />
        <Count name={t(`bench.sent.${setting.scenario}`)} count={tally.sent} />
        {publishes(setting) && setting.qos > 0 && setting.scenario !== 'publish' && <Count name={t('bench.acknowledged')} count={tally.acknowledged} />}
        {isOver && tally.late > 0 && <Count name={t('bench.late')} count={tally.late} />}
        {isOver && <Count name={t(isStopped ? 'bench.underWay' : 'bench.missing')} count={missing} isBad={!isStopped && missing > 0} />}
        {isOver && setting.rate !== null && <Count name={t('bench.behind')} count={tally.behind} isBad={tally.behind > 0} />}
      </dl>
      {isOver && bench.wasHidden && <p class="bench-bad">{t('bench.wasHidden')}</p>}
      {isOver && setting.rate === null && tally.durations.count > 0 && publishes(setting) && <p class="muted">{t('bench.saturated')}</p>}
    </div>
  );
}

function Count({ name, count, isBad = false }: { name: string; count: number; isBad?: boolean }) {
  return (
    <div class={isBad ? 'bench-count bench-bad' : 'bench-count'}>
      <dt>{name}</dt>
      <dd>{number(count)}</dd>
    </div>
  );
}

function failure({ error, profile, tally }: Bench): { text: string; hints: string[] } {
  return problemText({ during: tally.sent > 0 ? 'connection' : 'connect', error }, profile?.server ?? 'tab');
}

/** Pixels. */
const PLOT = 170;
