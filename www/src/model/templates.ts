// The publications that this browser keeps by a name. Knows nothing of connections.

import { type ReadonlySignal, signal } from '@preact/signals';
import { type PublicationDraft, readPublicationDraft } from './publication-draft.ts';
import { keep, recall, type Store } from './store.ts';

export interface Template {
  readonly name: string;
  readonly draft: PublicationDraft;
}

/** The stored templates, by name. */
export class Templates {
  readonly #store: Store;
  readonly #all;
  readonly #isStored = signal(true);

  constructor(store: Store) {
    this.#store = store;
    const stored = recall(store, NAME);
    this.#all = signal<readonly Template[]>(Array.isArray(stored) ? stored.map(readTemplate).filter((template) => template !== undefined) : []);
  }

  get all(): ReadonlySignal<readonly Template[]> {
    return this.#all;
  }

  /** Whether the browser had room for the last change. */
  get isStored(): ReadonlySignal<boolean> {
    return this.#isStored;
  }

  /** Stores a draft, in place of the one of this name. */
  save(name: string, draft: PublicationDraft): void {
    const others = this.#all.value.filter((template) => template.name !== name);
    this.#change([...others, { name, draft }].sort((one, other) => one.name.localeCompare(other.name)));
  }

  remove(name: string): void {
    this.#change(this.#all.value.filter((template) => template.name !== name));
  }

  #change(templates: readonly Template[]): void {
    this.#all.value = templates;
    this.#isStored.value = keep(this.#store, NAME, templates);
  }
}

function readTemplate(value: unknown): Template | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('draft' in value) || typeof value.name !== 'string') return undefined;
  const draft = readPublicationDraft(value.draft);
  return draft && { name: value.name, draft };
}

const NAME = 'templates';
