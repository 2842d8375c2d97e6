// The latest messages of one topic, the newest first.

import { timeOfDay } from '../../components/message-facts.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { number, t } from '../../i18n/index.ts';
import { preview } from '../../model/formats.ts';
import type { LoggedMessage } from '../../model/message.ts';
import type { TopicNode } from '../../model/topic-node.ts';
import type { TopicsState } from './topics-state.ts';

interface HistoryProps {
  readonly state: TopicsState;
  readonly node: TopicNode;
  /** That of the node, which is the same when there are more. */
  readonly count: number;
}

export function TopicHistory({ state, node: { history }, count }: HistoryProps) {
  const chosen = state.message.value;
  const at = (index: number): LoggedMessage | undefined => history.at(-1 - index);
  return (
    <div class="topic-section">
      <h3>{t('history.title')}</h3>
      {count > history.length && (
        <p class="muted">{t('history.forgotten', { count: history.length, gone: number(count - history.length) })}</p>
      )}
      {history.length > 0 && (
        <VirtualList
          role="listbox"
          class="topic-history"
          label={t('history.title')}
          count={history.length}
          rowHeight={26}
          active={chosen ? place(history.length, at, chosen) : 0}
          onActive={(index) => (state.message.value = index === 0 ? null : (at(index) ?? null))}
          rowKey={(index) => count - index}
          row={(index) => <Entry message={at(index)!} previous={at(index + 1)} />}
        />
      )}
    </div>
  );
}

function Entry({ message, previous }: { message: LoggedMessage; previous: LoggedMessage | undefined }) {
  const { text, rest } = preview(message.payload, 120);
  return (
    <>
      <time dateTime={new Date(message.time).toISOString()}>{timeOfDay(message.time)}</time>
      <span class="history-since">{previous && t('history.since', { seconds: number((message.time - previous.time) / 1000, SECONDS) })}</span>
      <span class="history-value">
        {message.payload.byteLength === 0 ? <span class="muted">{t('messages.emptyPayload')}</span> : <bdi>{text}</bdi>}
        {rest > 0 && <span class="muted"> {t('payload.more', { count: rest })}</span>}
      </span>
      <span class="badge">{t('messages.qos', { qos: message.qos })}</span>
      {message.retain && <span class="badge badge-retain">{t('messages.retain')}</span>}
    </>
  );
}

function place(length: number, at: (index: number) => LoggedMessage | undefined, message: LoggedMessage): number {
  for (let index = 0; index < length; index += 1) if (at(index) === message) return index;
  return -1;
}

const SECONDS = { minimumFractionDigits: 3, maximumFractionDigits: 3 } as const;
