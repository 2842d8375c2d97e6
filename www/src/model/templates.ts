// The publications that this browser keeps by a name. Knows nothing of connections.

import { type PublicationDraft, readPublicationDraft } from './publication-draft.ts';
import type { Store } from './store.ts';
import { StoredList } from './stored-list.ts';

export interface Template {
  readonly name: string;
  readonly draft: PublicationDraft;
}

/** The stored templates, by name. */
export class Templates extends StoredList<Template> {
  constructor(store: Store) {
    super(store, 'templates', readTemplate);
  }

  /** Stores a draft, in place of the one of this name. */
  save(name: string, draft: PublicationDraft): void {
    this.change((templates) => {
      const others = templates.filter((template) => template.name !== name);
      return [...others, { name, draft }].sort((one, other) => one.name.localeCompare(other.name));
    });
  }

  remove(name: string): void {
    this.change((templates) => templates.filter((template) => template.name !== name));
  }
}

function readTemplate(value: unknown): Template | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('draft' in value) || typeof value.name !== 'string') return undefined;
  const draft = readPublicationDraft(value.draft);
  return draft && { name: value.name, draft };
}
