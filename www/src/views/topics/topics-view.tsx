// All topics of a connection as a tree, beside what came on the one that is chosen.

import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import type { ViewProps } from '../index.ts';
import '../../style/topics.css';
import { TopicDetail } from './topic-detail.tsx';
import { TopicTreePanel } from './topic-tree-panel.tsx';
import { topicsState } from './topics-state.ts';

export function TopicsView({ connection }: ViewProps) {
  if (!connection) return <p class="muted placeholder">{t('shell.none')}</p>;
  return <Topics connection={connection} />;
}

function Topics({ connection }: { connection: Connection }) {
  const state = topicsState(connection);
  const { selected, message, path } = state;
  const node = selected.value;
  useEffect(() => {
    // A tree that was cleared has other nodes: the one that is looked at is found again when its topic comes back.
    if (node && connection.topics.find(node.topic) !== node) selected.value = connection.topics.find(node.topic) ?? null;
  }, [node, connection.topics.version.value]);
  return (
    <div class={node ? 'topics-view topics-view-chosen' : 'topics-view'}>
      <TopicTreePanel
        connection={connection}
        state={state}
        onSelect={(chosen) => {
          if (chosen === selected.value) return;
          selected.value = chosen;
          message.value = null;
          path.value = null;
        }}
      />
      {node ? (
        <TopicDetail key={node.topic} connection={connection} state={state} node={node} />
      ) : (
        <div class="panel topic-detail" role="group" aria-label={t('topics.detail')}>
          <p class="muted empty">{t('topics.choose')}</p>
        </div>
      )}
    </div>
  );
}
