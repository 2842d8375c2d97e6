// Numbers over time as lines. The library that draws is loaded when the first line is. Knows nothing of where numbers come from.

import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { locale, number, t } from '../i18n/index.ts';

/** Numbers that belong together; `null` is a gap. */
export interface PlotLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface PlotProps {
  readonly label: string;
  /** Seconds, growing, as many as each line has values. */
  readonly times: readonly number[];
  /** Three at most, always the same. */
  readonly lines: readonly PlotLine[];
  /** What times count from: 1970, so that they are times of day, or a beginning. Default 1970. */
  readonly since?: '1970' | 'beginning';
  /** Pixels. Default 180. */
  readonly height?: number;
}

export function Plot({ label, times, lines, since = '1970', height = 180 }: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const latest = useRef<uPlot.AlignedData>([[], []]);
  const [isFailed, setFailed] = useState(false);
  latest.current = [times, ...lines.map(({ values }) => values)] as uPlot.AlignedData;

  useEffect(() => {
    let isGone = false;
    let watcher: ResizeObserver | undefined;
    const draw = async (): Promise<void> => {
      const { UPlot } = await import('./uplot.ts');
      if (isGone || !element.current) return;
      const target = element.current;
      const plot = new UPlot(options(target, height, lines, since), latest.current, target);
      drawn.current = plot;
      watcher = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height }));
      watcher.observe(target);
    };
    draw().catch(() => setFailed(true));
    const stop = onTheme(() => drawn.current?.redraw(false));
    return () => {
      isGone = true;
      stop();
      watcher?.disconnect();
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [locale.value, height]);

  useEffect(() => drawn.current?.setData(latest.current), [times, ...lines.map(({ values }) => values)]);

  if (isFailed) return <p class="muted">{t('plot.failed')}</p>;
  const spoken = lines.map(({ name, values }) => (lines.length > 1 ? `${name} ${summary(values)}` : summary(values)));
  return <div ref={element} class={lines.length > 1 ? 'plot plot-several' : 'plot'} role="img" aria-label={`${label}: ${spoken.join('; ')}`} />;
}

/** What the line shows, for those who do not see it. */
function summary(values: readonly (number | null)[]): string {
  let [count, least, most, last] = [0, Infinity, -Infinity, 0];
  for (const value of values) {
    if (value === null) continue;
    [count, least, most, last] = [count + 1, Math.min(least, value), Math.max(most, value), value];
  }
  return count === 0 ? t('plot.empty') : t('plot.summary', { count, least: written(least), most: written(most), last: written(last) });
}

function written(value: number): string {
  return number(value, { maximumSignificantDigits: 6 });
}

function options(target: HTMLElement, height: number, lines: readonly PlotLine[], since: '1970' | 'beginning'): uPlot.Options {
  // A canvas knows no `var()` and no `light-dark()`: the style sheet puts them where they are resolved.
  const colour = (property: Exclude<keyof CSSStyleDeclaration, number> & `${string}olor`) => () => String(getComputedStyle(target)[property]);
  const time = since === '1970' ? timeOfDay : elapsed;
  const grid = { stroke: colour('borderTopColor'), width: 1 };
  const axis = { stroke: colour('color'), font: '11px system-ui, sans-serif', grid, ticks: { show: false } };
  return {
    width: Math.max(1, target.clientWidth),
    height,
    scales: { x: { time: since === '1970' } },
    legend: { show: true, live: true },
    cursor: { y: false, points: { size: 7 } },
    series: [
      { label: t('plot.time'), value: told(time) },
      ...lines.map(({ name }, index) => {
        const stroke = colour(LINE_COLOURS[index] ?? LINE_COLOURS[0]);
        return {
          label: name,
          value: told(written),
          stroke,
          width: 1.75,
          points: { show: (plot: uPlot) => plot.data[0].length <= 60, size: 5, fill: stroke },
        };
      }),
    ],
    axes: [
      { ...axis, size: 30, values: (_, times) => times.map((seconds) => time(seconds)), space: 80 },
      { ...axis, size: 64, values: (_, values) => values.map(written) },
    ],
  };
}

/** What the legend says of a line: its value at the pointer or, without one, the last. */
function told(text: (value: number) => string) {
  return ({ data }: uPlot, value: number | null, line: number, at?: number | null): string => {
    const shown = at == null ? data[line]?.at(-1) : value;
    return shown == null ? '–' : text(shown);
  };
}

function timeOfDay(seconds: number): string {
  return new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(seconds * 1000);
}

function elapsed(seconds: number): string {
  return number(seconds, { style: 'unit', unit: 'second', unitDisplay: 'narrow', maximumFractionDigits: 2 });
}

/** Calls whenever the page becomes light or dark. */
function onTheme(changed: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  query.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    query.removeEventListener('change', changed);
  };
}

/** Where the style sheet has the colours of the lines. */
const LINE_COLOURS = ['caretColor', 'outlineColor', 'columnRuleColor'] as const;
