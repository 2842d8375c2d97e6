// A part of a form that is there when it is wanted.

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

interface DisclosureProps {
  readonly title: string;
  /** What stands beside the title: what is in it while it is folded. */
  readonly note?: string | undefined;
  readonly isOpen: Signal<boolean>;
  readonly children: () => ComponentChildren;
}

export function Disclosure({ title, note, isOpen, children }: DisclosureProps) {
  return (
    <details class="disclosure field-full" open={isOpen.value} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        {title}
        {note !== undefined && <span class="disclosure-note">{note}</span>}
      </summary>
      {isOpen.value && <div class="fields">{children()}</div>}
    </details>
  );
}
