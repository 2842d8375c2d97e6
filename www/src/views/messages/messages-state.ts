// What a reader has chosen in the messages of a connection: it is there again when the view is.

import { type Signal, signal } from '@preact/signals';
import type { FormatChoice } from '../../components/payload.tsx';
import type { Connection } from '../../model/connection.ts';
import { type MessageQuery, MessageSearch } from '../../model/message-search.ts';

export interface MessagesState {
  readonly query: Signal<MessageQuery>;
  /** How many messages there had been when the reader paused. */
  readonly pausedAt: Signal<number | null>;
  /** Whether the newest message stays in sight. */
  readonly isFollowing: Signal<boolean>;
  /** The number of the message that is looked at. */
  readonly chosen: Signal<number | null>;
  readonly format: Signal<FormatChoice>;
  /** What finds the messages of the query; `null` while it asks for all. */
  readonly search: Signal<MessageSearch | null>;
}

export function messagesState(connection: Connection): MessagesState {
  let state = states.get(connection);
  if (!state) {
    state = {
      query: signal({ text: '' }),
      pausedAt: signal(null),
      isFollowing: signal(true),
      chosen: signal(null),
      format: signal('auto'),
      search: signal(null),
    };
    states.set(connection, state);
  }
  return state;
}

/** Looks for something else. */
export function ask(connection: Connection, state: MessagesState, part: Partial<MessageQuery>): void {
  const query = { ...state.query.value, ...part };
  const isForAll = query.text === '' && query.direction === undefined;
  state.query.value = query;
  state.search.value = isForAll ? null : new MessageSearch(connection.messages, query);
}

const states = new WeakMap<Connection, MessagesState>();
