// Numbers over time as a line. The library that draws is loaded when the first line is. Knows nothing of where numbers come from.

import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { locale, number, t } from '../i18n/index.ts';

interface PlotProps {
  readonly label: string;
  /** Seconds since 1970, growing, as many as there are values. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** Pixels. Default 180. */
  readonly height?: number;
}

export function Plot({ label, times, values, height = 180 }: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const latest = useRef<uPlot.AlignedData>([[], []]);
  const [isFailed, setFailed] = useState(false);
  latest.current = [times as number[], values as number[]];

  useEffect(() => {
    let isGone = false;
    let watcher: ResizeObserver | undefined;
    const draw = async (): Promise<void> => {
      const { UPlot } = await import('./uplot.ts');
      if (isGone || !element.current) return;
      const target = element.current;
      const plot = new UPlot(options(target, height), latest.current, target);
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

  useEffect(() => drawn.current?.setData(latest.current), [times, values]);

  if (isFailed) return <p class="muted">{t('plot.failed')}</p>;
  return <div ref={element} class="plot" role="img" aria-label={`${label}: ${summary(values)}`} />;
}

/** What the line shows, for those who do not see it. */
function summary(values: readonly number[]): string {
  if (values.length === 0) return t('plot.empty');
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return t('plot.summary', { count: values.length, least: written(least), most: written(most), last: written(values.at(-1)!) });
}

function written(value: number): string {
  return number(value, { maximumSignificantDigits: 6 });
}

function options(target: HTMLElement, height: number): uPlot.Options {
  // A canvas knows no `var()` and no `light-dark()`: the style sheet puts them where they are resolved.
  const colour = (property: 'color' | 'borderTopColor' | 'caretColor') => () => getComputedStyle(target)[property];
  const grid = { stroke: colour('borderTopColor'), width: 1 };
  const axis = { stroke: colour('color'), font: '11px system-ui, sans-serif', grid, ticks: { show: false } };
  return {
    width: Math.max(1, target.clientWidth),
    height,
    legend: { show: true, live: true },
    cursor: { y: false, points: { size: 7 } },
    series: [
      { label: t('plot.time'), value: (_, time) => (time == null ? '–' : timeOfDay(time)) },
      {
        label: t('plot.value'),
        value: (_, value) => (value == null ? '–' : written(value)),
        stroke: colour('caretColor'),
        width: 1.75,
        points: { show: (plot) => plot.data[0].length <= 60, size: 5, fill: colour('caretColor') },
      },
    ],
    axes: [
      { ...axis, size: 30, values: (_, times) => times.map((time) => timeOfDay(time)), space: 80 },
      { ...axis, size: 64, values: (_, values) => values.map(written) },
    ],
  };
}

function timeOfDay(seconds: number): string {
  return new Intl.DateTimeFormat(locale.value, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(seconds * 1000);
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
