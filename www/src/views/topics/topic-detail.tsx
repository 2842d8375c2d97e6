// What came on one topic: the latest value or one of the history, the history itself, and its numbers as a line.

import { useSignal } from '@preact/signals';
import { CopyButton } from '../../components/copy-button.tsx';
import { Icon } from '../../components/icon.tsx';
import { MessageFacts } from '../../components/message-facts.tsx';
import { Payload } from '../../components/payload.tsx';
import { size } from '../../components/size.ts';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import type { LoggedMessage } from '../../model/message.ts';
import type { Ring } from '../../model/ring.ts';
import type { TopicNode } from '../../model/topic-node.ts';
import { DeleteRetained } from './delete-retained.tsx';
import { TopicHistory } from './topic-history.tsx';
import { TopicPlot } from './topic-plot.tsx';
import type { TopicsState } from './topics-state.ts';

interface DetailProps {
  readonly connection: Connection;
  readonly state: TopicsState;
  readonly node: TopicNode;
}

export function TopicDetail({ connection, state, node }: DetailProps) {
  const isDeleting = useSignal(false);
  connection.topics.version.value;
  const chosen = state.message.value;
  const message = chosen ?? node.last;
  return (
    <div class="panel topic-detail" role="group" aria-label={t('topics.detail')}>
      <header class="topic-head">
        <button type="button" class="icon-button topic-back" aria-label={t('topics.back')} onClick={() => (state.selected.value = null)}>
          <Icon name="back" />
        </button>
        <h2 class="topic-title">
          <bdi>{node.topic === '' ? t('topics.emptyLevel') : node.topic}</bdi>
        </h2>
        <span class="topic-actions">
          <CopyButton label={t('topics.copyTopic')} text={() => node.topic} />
          <button type="button" class="quiet danger" disabled={connection.status.value !== 'connected'} onClick={() => (isDeleting.value = true)}>
            {t('retained.delete')}
          </button>
        </span>
      </header>
      <p class="muted topic-sums">
        {t('topics.sums', { messages: node.total, topics: node.topics, bytes: size(node.bytes) })}
        {node.retainedTopics > 0 && ` · ${t('topics.retainedTopics', { count: node.retainedTopics })}`}
      </p>
      {message ? (
        <>
          {chosen && (
            <p class="topic-past">
              <span>{t('topics.past')}</span>
              <button type="button" class="quiet" onClick={() => (state.message.value = null)}>
                {t('topics.latest')}
              </button>
            </p>
          )}
          <Payload
            payload={message.payload}
            contentType={message.properties.contentType}
            topic={node.topic}
            choice={state.format.value}
            onChoice={(choice) => (state.format.value = choice)}
            previous={before(node.history, message)?.payload}
          />
          <MessageFacts message={message} />
          <TopicPlot state={state} node={node} message={message} />
          <TopicHistory state={state} node={node} count={node.count} />
        </>
      ) : (
        <p class="muted empty">{t(node.count === 0 ? 'topics.noMessages' : 'topics.lastGone')}</p>
      )}
      {isDeleting.value && <DeleteRetained connection={connection} topic={node.topic} onClose={() => (isDeleting.value = false)} />}
    </div>
  );
}

/** The message before this one. */
function before(history: Ring<LoggedMessage>, message: LoggedMessage): LoggedMessage | undefined {
  if (history.at(-1) === message) return history.length > 1 ? history.at(-2) : undefined;
  let previous: LoggedMessage | undefined;
  for (const each of history) {
    if (each === message) return previous;
    previous = each;
  }
  return undefined;
}
