// What a reader has begun to publish on a connection, and what repeats it: there again when the view is.

import { type Signal, signal } from '@preact/signals';
import type { Connection, Publication, Reply } from '../../model/connection.ts';
import type { Circumstances } from '../../model/generators.ts';
import { type DraftFaults, newPublicationDraft, type PublicationDraft, toPublication } from '../../model/publication-draft.ts';
import { Repetition } from '../../model/repetition.ts';
import type { Store } from '../../model/store.ts';
import { Templates } from '../../model/templates.ts';

/** The parts of the form that unfold. */
export type PublishPart = 'properties' | 'templates' | 'repeat' | 'ask';

export interface PublishState {
  readonly draft: Signal<PublicationDraft>;
  /** Whether it was tried to use what is wrong: all faults are shown from then on. */
  readonly isRefused: Signal<boolean>;
  readonly open: Readonly<Record<PublishPart, Signal<boolean>>>;
  /** How many have been published since the last change of the draft: what `{{counter}}` goes by. */
  readonly count: Signal<number>;
  readonly repetition: Repetition;
  /** Milliseconds. */
  readonly every: Signal<number | null>;
  /** `null`: without an end. */
  readonly times: Signal<number | null>;
  /** Milliseconds. */
  readonly timeout: Signal<number | null>;
  readonly reply: Signal<Reply | 'waiting' | null>;
}

export function publishState(connection: Connection): PublishState {
  let state = states.get(connection);
  if (!state) states.set(connection, (state = newState()));
  return state;
}

/** The templates of a store: the same for all connections. */
export function templatesIn(store: Store): Templates {
  let known = templates.get(store);
  if (!known) templates.set(store, (known = new Templates(store)));
  return known;
}

/** The draft is another one. */
export function changeDraft({ draft, count, isRefused }: PublishState, part: Partial<PublicationDraft>): void {
  draft.value = { ...draft.value, ...part };
  count.value = 0;
  isRefused.value = false;
}

/** What the draft stands for as the message of this number; `null` where something is wrong, as the form then shows. */
export function publicationOf(connection: Connection, state: PublishState, count: number, draft = state.draft.value): Publication | null {
  const made = toPublication(draft, connection.profile.protocolVersion === 5, circumstances(count));
  if ('publication' in made) return made.publication;
  state.isRefused.value = true;
  if (Object.keys(made.faults).some((name) => PROPERTIES.includes(name))) state.open.properties.value = true;
  return null;
}

/** What is wrong with the draft as the next message. Before it was tried only what the reader has begun with. */
export function faultsOf(connection: Connection, { draft, count, isRefused }: PublishState): DraftFaults {
  const made = toPublication(draft.value, connection.profile.protocolVersion === 5, circumstances(count.value));
  if ('publication' in made) return {};
  if (isRefused.value) return made.faults;
  return Object.fromEntries(Object.entries(made.faults).filter(([name, fault]) => fault !== 'empty' && draft.value[name as keyof PublicationDraft] !== ''));
}

function circumstances(count: number): Circumstances {
  return { count, now: Date.now(), random: Math.random };
}

function newState(): PublishState {
  return {
    draft: signal(newPublicationDraft({ topic: 'sensor/10/temperature', payload: '23.5' })),
    isRefused: signal(false),
    open: { properties: signal(false), templates: signal(false), repeat: signal(false), ask: signal(false) },
    count: signal(0),
    repetition: new Repetition(),
    every: signal(1_000),
    times: signal(10),
    timeout: signal(5_000),
    reply: signal(null),
  };
}

const states = new WeakMap<Connection, PublishState>();
const templates = new WeakMap<Store, Templates>();

const PROPERTIES: readonly string[] = ['contentType', 'messageExpiryInterval', 'responseTopic', 'correlationData', 'userProperties'];
