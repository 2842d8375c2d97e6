// The tree with its filters.

import { useEffect, useRef, useState } from 'preact/hooks';
import { TextField } from '../../components/field.tsx';
import { useMedia } from '../../components/use-media.ts';
import { type RowAttributes, VirtualList } from '../../components/virtual-list.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import type { TopicNode } from '../../model/topic-node.ts';
import { TopicRow } from './topic-row.tsx';
import type { TopicsState } from './topics-state.ts';

interface PanelProps {
  readonly connection: Connection;
  readonly state: TopicsState;
  readonly onSelect: (node: TopicNode) => void;
}

export function TopicTreePanel({ connection, state, onSelect }: PanelProps) {
  const { topics } = connection;
  const { rows, selected, changes } = state;
  const isNarrow = useMedia('(max-width: 48rem)');
  topics.version.value;
  changes.value;
  useSeconds(() => rows.filter.payload !== '' && rows.refresh());
  const shown = rows.rows();
  const active = selected.value ? shown.indexOf(selected.value) : -1;
  const fold = (node: TopicNode, unfolded: boolean): void => {
    rows.fold(node, unfolded);
    changes.value += 1;
  };
  const find = (part: Partial<typeof rows.filter>): void => {
    rows.filter = { ...rows.filter, ...part };
    changes.value += 1;
  };
  const typed = useTyped();

  return (
    <div class="panel topics">
      <div class="toolbar">
        <h2 class="panel-title">{t('topics.title')}</h2>
        <span class="muted">{t('topics.counts', { topics: topics.root.topics, messages: topics.root.total })}</span>
        <span class="topics-folding">
          <button type="button" class="quiet" disabled={shown.length === 0} onClick={() => foldAll(true)}>
            {t('topics.unfoldAll')}
          </button>
          <button type="button" class="quiet" disabled={shown.length === 0} onClick={() => foldAll(false)}>
            {t('topics.foldAll')}
          </button>
          <button type="button" class="quiet" disabled={topics.size === 0} onClick={clear}>
            {t('topics.clear')}
          </button>
        </span>
      </div>
      <div class="topics-filters">
        <TextField label={t('topics.filterTopic')} type="search" width="full" placeholder="sensor/+/temperature" value={rows.filter.topic} onInput={(topic) => find({ topic })} />
        <TextField label={t('topics.filterPayload')} type="search" width="full" value={rows.filter.payload} onInput={(payload) => find({ payload })} />
      </div>
      {rows.found !== null && <p class="muted" role="status">{t('topics.found', { count: rows.found })}</p>}
      {topics.leftOut > 0 && <p class="muted">{t('topics.leftOut', { count: topics.leftOut })}</p>}
      {shown.length === 0 ? (
        <Empty connection={connection} isFiltered={rows.isFiltered} />
      ) : (
        <VirtualList
          role="tree"
          class="topics-tree"
          label={t('topics.tree')}
          count={shown.length}
          rowHeight={isNarrow ? 40 : 26}
          active={active}
          onActive={(index) => onSelect(shown[index]!)}
          onKey={key}
          onPress={(index, target) => {
            const node = shown[index]!;
            if (!target.closest('.twig')) return false;
            fold(node, !rows.isUnfolded(node));
            return true;
          }}
          rowKey={(index) => shown[index]!.topic}
          attributes={attributes}
          row={(index) => row(shown[index]!)}
        />
      )}
    </div>
  );

  function row(node: TopicNode) {
    const rate = Math.round(node.rate(Date.now()) * 10) / 10;
    return <TopicRow node={node} isUnfolded={rows.isUnfolded(node)} total={node.total} retained={node.retainedTopics} rate={rate} />;
  }

  function foldAll(unfolded: boolean): void {
    rows.foldAll(unfolded);
    changes.value += 1;
  }

  function clear(): void {
    topics.clear();
    selected.value = null;
  }

  function attributes(index: number): RowAttributes {
    const node = shown[index]!;
    const { position, siblings } = rows.place(index);
    return {
      'aria-level': node.level,
      'aria-expanded': node.children.length > 0 ? rows.isUnfolded(node) : undefined,
      'aria-setsize': siblings,
      'aria-posinset': position,
    };
  }

  /** The keys of a tree, as the ARIA practices have them. */
  function key(event: KeyboardEvent): boolean {
    const node = shown[active];
    if (!node) return false;
    const isOpen = rows.isUnfolded(node) && node.children.length > 0;
    switch (event.key) {
      case 'ArrowRight':
        if (isOpen) onSelect(shown[active + 1] ?? node);
        else fold(node, true);
        return true;
      case 'ArrowLeft':
        if (isOpen) fold(node, false);
        else if (node.parent && node.parent.level > 0) onSelect(node.parent);
        return true;
      case 'Enter':
      case ' ':
        fold(node, !isOpen);
        return true;
      case '*':
        for (const sibling of node.parent?.children ?? []) fold(sibling, true);
        return true;
      default:
        return event.key.length === 1 && typeAhead(typed(event.key));
    }
  }

  /** Goes to the next row whose name begins with what was typed. */
  function typeAhead(text: string): boolean {
    const start = text.length === 1 ? 1 : 0;
    for (let step = start; step < shown.length + start; step += 1) {
      const node = shown[(active + step) % shown.length]!;
      if (!node.name.toLowerCase().startsWith(text)) continue;
      onSelect(node);
      break;
    }
    return true;
  }
}

function Empty({ connection, isFiltered }: { connection: Connection; isFiltered: boolean }) {
  if (isFiltered) return <p class="muted empty">{t('topics.noMatch')}</p>;
  const hasAll = connection.subscriptions.value.some(({ filter }) => filter === '#');
  return (
    <div class="empty">
      <p class="muted">{t(hasAll ? 'topics.waiting' : 'topics.none')}</p>
      {!hasAll && connection.status.value === 'connected' && (
        <button type="button" class="secondary" onClick={() => void connection.subscribe({ filter: '#', qos: 2 })}>
          {t('topics.subscribeAll')}
        </button>
      )}
    </div>
  );
}

/** Draws anew every second, as rates fall without a message, after this was done. */
function useSeconds(before: () => void): void {
  const [, setSeconds] = useState(0);
  const latest = useRef(before);
  latest.current = before;
  useEffect(() => {
    const timer = setInterval(() => {
      latest.current();
      setSeconds((seconds) => seconds + 1);
    }, 1_000);
    return () => clearInterval(timer);
  }, []);
}

/** What was typed within a second. */
function useTyped(): (letter: string) => string {
  const typed = useRef({ text: '', at: 0 });
  return (letter) => {
    const now = performance.now();
    const isSoon = now - typed.current.at < 1_000;
    typed.current = { text: (isSoon ? typed.current.text : '') + letter.toLowerCase(), at: now };
    return typed.current.text;
  };
}
