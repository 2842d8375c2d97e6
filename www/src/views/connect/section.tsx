// A section of the connect form: open, or folded until it is wanted or something in it was refused.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t, type TextKey } from '../../i18n/index.ts';
import type { Fault } from '../../model/profile.ts';

interface SectionFrameProps {
  readonly title: TextKey;
  /** Whether one that folds begins unfolded: after that it is the reader's. */
  readonly isOpen?: boolean;
  readonly children: ComponentChildren;
}

/** One that folds. */
export function Fold({ title, isOpen = false, children }: SectionFrameProps) {
  const [begins] = useState(isOpen);
  return (
    <details class="section" open={begins}>
      <summary>{t(title)}</summary>
      <div class="fields">{children}</div>
    </details>
  );
}

/** One that is always open. */
export function Section({ title, children }: SectionFrameProps) {
  return (
    <fieldset class="section">
      <legend>{t(title)}</legend>
      <div class="fields">{children}</div>
    </fieldset>
  );
}

/** What is wrong with a field, as a sentence. */
export function faultText(fault: Fault | undefined): string | undefined {
  return fault && t(`fault.${fault}`);
}
