// What a reader has chosen in the tree of a connection: it is there again when the view is.

import { type Signal, signal } from '@preact/signals';
import type { FormatChoice } from '../../components/payload.tsx';
import type { Connection } from '../../model/connection.ts';
import type { LoggedMessage } from '../../model/message.ts';
import type { TopicNode } from '../../model/topic-node.ts';
import { TopicRows } from '../../model/topic-rows.ts';

export interface TopicsState {
  readonly rows: TopicRows;
  readonly selected: Signal<TopicNode | null>;
  /** A message of the history; `null` is the latest. */
  readonly message: Signal<LoggedMessage | null>;
  readonly format: Signal<FormatChoice>;
  /** What is plotted; `null` is the first number there is. */
  readonly path: Signal<string | null>;
  /** Grows when something was folded or looked for. */
  readonly changes: Signal<number>;
}

export function topicsState(connection: Connection): TopicsState {
  let state = states.get(connection);
  if (!state) {
    state = {
      rows: new TopicRows(connection.topics),
      selected: signal(null),
      message: signal(null),
      format: signal('auto'),
      path: signal(null),
      changes: signal(0),
    };
    states.set(connection, state);
  }
  return state;
}

const states = new WeakMap<Connection, TopicsState>();
