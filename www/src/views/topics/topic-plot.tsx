// The numbers of one topic over time: the payload itself, or what a path into it leads to.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { TextField } from '../../components/field.tsx';
import { useFormat, useFormatter } from '../../components/payload.tsx';
import { Plot } from '../../components/plot.tsx';
import { t } from '../../i18n/index.ts';
import type { Format, Formatter } from '../../model/formats.ts';
import { numberPaths, parsePath } from '../../model/json-paths.ts';
import type { LoggedMessage } from '../../model/message.ts';
import { type Points, Series } from '../../model/series.ts';
import type { TopicNode } from '../../model/topic-node.ts';
import type { TopicsState } from './topics-state.ts';

interface PlotProps {
  readonly state: TopicsState;
  readonly node: TopicNode;
  readonly message: LoggedMessage;
}

export function TopicPlot({ state, node, message }: PlotProps) {
  const { payload, properties } = message;
  const format = useFormat(payload, properties.contentType, state.format.value);
  const known = useFormatter(format);
  if (typeof known !== 'object' || (payload.byteLength > LARGEST && state.path.value === null)) return null;
  return <Lines key={format} state={state} node={node} message={message} format={format} known={known} />;
}

function Lines({ state, node, message, format, known }: PlotProps & { format: Format; known: Formatter }) {
  const value = useMemo(() => known.value(message.payload), [message, known]);
  const paths = useMemo(() => numberPaths(value), [value]);
  const [isTyped, setTyped] = useState(false);
  const path = state.path.value ?? paths[0] ?? null;
  if (path === null) return null;
  const steps = parsePath(path);
  const isOwn = isTyped || !paths.includes(path);
  return (
    <div class="topic-section">
      <header class="plot-head">
        <h3>{t('plot.title')}</h3>
        {(paths.length > 1 || path !== '$') && (
          <label class="plot-paths">
            <span class="visually-hidden">{t('plot.choose')}</span>
            <select
              value={isOwn ? '' : path}
              onChange={({ currentTarget: { value: chosen } }) => {
                setTyped(chosen === '');
                if (chosen !== '') state.path.value = chosen;
              }}
            >
              {paths.map((each) => (
                <option key={each} value={each}>
                  {each}
                </option>
              ))}
              <option value="">{t('plot.own')}</option>
            </select>
          </label>
        )}
        {isOwn && (
          <TextField
            label={t('plot.path')}
            value={path}
            fault={steps ? undefined : t('plot.badPath')}
            onInput={(text) => (state.path.value = text)}
          />
        )}
      </header>
      {steps && <Line key={`${path} ${format}`} node={node} path={path} known={known} />}
    </div>
  );
}

function Line({ node, path, known }: { node: TopicNode; path: string; known: Formatter }) {
  const series = useRef<Series | null>(null);
  series.current ??= new Series(parsePath(path) ?? [], known);
  const points = usePoints(node, series.current);
  return (
    <>
      <Plot label={t('plot.of', { topic: node.topic, path })} times={points.times} lines={[{ name: t('plot.value'), values: points.values }]} />
      <p class="muted plot-note">
        {t('plot.points', { count: points.values.length })}
        {points.without > 0 && ` · ${t('plot.without', { count: points.without })}`}
      </p>
    </>
  );
}

/** The points, looked at anew a few times a second while messages come or some were not read yet. */
function usePoints(node: TopicNode, series: Series): Points {
  const [points, setPoints] = useState(() => series.points(node.history));
  const seen = useRef({ count: node.count, isWhole: points.isWhole });
  useEffect(() => {
    const timer = setInterval(() => {
      if (seen.current.count === node.count && seen.current.isWhole) return;
      const next = series.points(node.history);
      seen.current = { count: node.count, isWhole: next.isWhole };
      setPoints(next);
    }, PERIOD);
    return () => clearInterval(timer);
  }, [node, series]);
  return points;
}

/** Milliseconds. */
const PERIOD = 250;
/** Bytes of a payload in which no number is looked for until a path is given. */
const LARGEST = 1 << 20;
