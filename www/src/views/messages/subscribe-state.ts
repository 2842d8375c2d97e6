// What a reader has begun to subscribe to: it is there again when the view is.

import { type Signal, signal } from '@preact/signals';
import type { Connection } from '../../model/connection.ts';
import { newSubscriptionDraft, type SubscriptionDraft } from '../../model/subscription-draft.ts';

export interface SubscribeState {
  readonly draft: Signal<SubscriptionDraft>;
  readonly isOpen: Signal<boolean>;
}

export function subscribeState(connection: Connection): SubscribeState {
  let state = states.get(connection);
  if (!state) states.set(connection, (state = { draft: signal(newSubscriptionDraft({ filter: SUGGESTION })), isOpen: signal(false) }));
  return state;
}

/** The first filter of every introduction to MQTT. */
export const SUGGESTION = 'sensor/+/temperature';

const states = new WeakMap<Connection, SubscribeState>();
