// What a connection received and sent, the newest last and in sight unless the reader scrolled away.

import { useEffect, useState } from 'preact/hooks';
import { useMedia } from '../../components/use-media.ts';
import { VirtualList } from '../../components/virtual-list.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection, Subscription } from '../../model/connection.ts';
import { matchesFilter } from '../../model/find.ts';
import type { MessageSearch } from '../../model/message-search.ts';
import { connectionName } from '../shell/connection-name.ts';
import '../../style/message-list.css';
import { MessageDetail } from './message-detail.tsx';
import { MessageRow } from './message-row.tsx';
import { MessageTools } from './message-tools.tsx';
import { messagesState } from './messages-state.ts';

export function MessageList({ connection }: { connection: Connection }) {
  const ring = connection.messages;
  const state = messagesState(connection);
  const { pausedAt, isFollowing, chosen, search } = state;
  const isNarrow = useMedia('(max-width: 48rem)');
  const isSearching = useSearch(search.value, ring.version.value);
  const all = ring.forgotten + ring.length;
  const end = pausedAt.value ?? all;
  const numbers = search.value ? found(search.value, end) : everything(ring.forgotten, Math.max(0, end - ring.forgotten));
  const active = chosen.value === null ? -1 : numbers.place(chosen.value);
  const message = chosen.value === null ? undefined : ring.numbered(chosen.value);

  return (
    <div class="panel messages">
      <MessageTools connection={connection} state={state} numbers={numbers} />
      <div class="messages-notes" role="status">
        {pausedAt.value !== null && <p class="muted">{t('messages.paused', { count: all - pausedAt.value })}</p>}
        {search.value && <p class="muted">{t(isSearching ? 'messages.searching' : 'messages.found', { count: numbers.count, all })}</p>}
      </div>
      {ring.forgotten > 0 && <p class="muted">{t('messages.forgotten', { count: ring.forgotten })}</p>}
      {numbers.count === 0 ? (
        <p class="muted empty">{t(search.value ? 'messages.noMatch' : 'messages.empty')}</p>
      ) : (
        <VirtualList
          role="listbox"
          isRecycling
          class="messages-list"
          label={t('messages.of', { name: connectionName(connection) })}
          count={numbers.count}
          first={numbers.first}
          rowHeight={isNarrow ? 44 : 28}
          active={active}
          isFollowing={isFollowing.value && pausedAt.value === null && chosen.value === null}
          onFollowing={(value) => (isFollowing.value = value)}
          onActive={(index) => (chosen.value = numbers.at(index) ?? null)}
          onKey={(event) => {
            if (event.key !== 'Escape' || chosen.value === null) return false;
            chosen.value = null;
            return true;
          }}
          rowKey={(index) => numbers.at(index) ?? -1}
          attributes={(index) => {
            const row = ring.numbered(numbers.at(index) ?? -1);
            const subscription = row && subscriptionOf(connection, row.topic, row.direction);
            return { class: `message message-${row?.direction} ${subscription ? `hue-${subscription.colour}` : ''}` };
          }}
          row={(index) => {
            const row = ring.numbered(numbers.at(index) ?? -1);
            return row && <MessageRow message={row} subscription={subscriptionOf(connection, row.topic, row.direction)} />;
          }}
        />
      )}
      {chosen.value !== null && (
        <MessageDetail message={message} state={state} onClose={() => (chosen.value = null)} />
      )}
    </div>
  );
}

/** The numbers of the messages that are listed. */
export interface Numbers {
  readonly count: number;
  /** Messages that would stand before the first one, had they not made room. */
  readonly first: number;
  at(index: number): number | undefined;
  /** Where a number stands; -1 where it does not. */
  place(number: number): number;
}

function everything(first: number, count: number): Numbers {
  return {
    count,
    first,
    at: (index) => (index < count ? first + index : undefined),
    place: (number) => (number >= first && number < first + count ? number - first : -1),
  };
}

function found(search: MessageSearch, end: number): Numbers {
  const before = (number: number): number => {
    let [from, to] = [0, search.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (search.numberAt(middle)! < number) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const count = before(end);
  return {
    count,
    first: search.forgotten,
    at: (index) => (index < count ? search.numberAt(index) : undefined),
    place(number) {
      const index = before(number);
      return index < count && search.numberAt(index) === number ? index : -1;
    },
  };
}

/** Goes on with a search as messages come, a part a frame. Whether it is still behind. */
function useSearch(search: MessageSearch | null, version: number): boolean {
  const [, setParts] = useState(0);
  const isBehind = search ? !search.advance(PART) : false;
  useEffect(() => {
    if (!isBehind) return;
    const frame = requestAnimationFrame(() => setParts((parts) => parts + 1));
    return () => cancelAnimationFrame(frame);
  });
  void version;
  return isBehind;
}

/** The subscription that a message came by, of those that there are. */
function subscriptionOf(connection: Connection, topic: string, direction: string): Subscription | undefined {
  if (direction === 'sent') return undefined;
  return connection.subscriptions.value.find(({ filter }) => matchesFilter(filter, topic));
}

/** Milliseconds of a frame that a search may take. */
const PART = 8;
