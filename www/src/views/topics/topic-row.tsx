// One level of the tree: its name, the last value, and how much comes.

import { number, t } from '../../i18n/index.ts';
import { preview } from '../../model/formats.ts';
import type { TopicNode } from '../../model/topic-node.ts';

interface RowProps {
  readonly node: TopicNode;
  readonly isUnfolded: boolean;
  /** Those of the node: it is the same when they are others, and a row is drawn anew only where something it is given is. */
  readonly total: number;
  readonly retained: number;
  readonly rate: number;
}

export function TopicRow({ node, isUnfolded, total, retained, rate }: RowProps) {
  const isBranch = node.children.length > 0;
  const isQuiet = isBranch && isUnfolded; // what is below shows its own changes
  return (
    <>
      <span class="topic-indent" style={{ width: `${Math.min(node.level - 1, DEEPEST) * 1.125}rem` }} />
      <span class={isBranch ? `twig ${isUnfolded ? 'twig-open' : ''}` : 'twig-none'} aria-hidden="true" />
      <span class="topic-name">{node.name === '' ? <i class="muted">{t('topics.emptyLevel')}</i> : node.name}</span>
      {node.last && <Value key={isQuiet ? 'quiet' : total} payload={node.last.payload} />}
      {!node.last && !isQuiet && <span key={total} class="topic-value blink" />}
      <span class="topic-figures">
        {retained > 0 && !isQuiet && (
          <span class="badge badge-retain" title={t('topics.retainedTopics', { count: retained })}>
            {node.retained ? t('messages.retain') : t('topics.retainedBelow', { count: retained })}
          </span>
        )}
        {isBranch && <span class="topic-topics">{t('topics.topics', { count: node.topics })}</span>}
        <span class="topic-rate">{rate > 0 ? t('topics.rate', { rate: number(rate, RATE) }) : ''}</span>
        <span class="topic-count" title={t('messages.count', { count: total })}>
          {number(total)}
        </span>
      </span>
    </>
  );
}

function Value({ payload }: { payload: Uint8Array }) {
  const { text, rest } = preview(payload, 120);
  if (payload.byteLength === 0) return <span class="topic-value blink muted">{t('messages.emptyPayload')}</span>;
  return (
    <span class="topic-value blink">
      <bdi>{text}</bdi>
      {rest > 0 && <span class="muted"> {t('payload.more', { count: rest })}</span>}
    </span>
  );
}

const RATE = { maximumFractionDigits: 1, notation: 'compact' } as const;
/** Levels that are set off from each other; a deeper one is told by its name alone. */
const DEEPEST = 12;
