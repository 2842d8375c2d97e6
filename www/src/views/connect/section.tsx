// A section of the connect form: open, or folded until it is wanted or something in it is wrong.

import type { ComponentChildren } from 'preact';
import { t, type TextKey } from '../../i18n/index.ts';
import type { Fault, Faults } from '../../model/profile.ts';

interface SectionFrameProps {
  readonly title: TextKey;
  /** Folded unless this is true. */
  readonly isOpen?: boolean;
  readonly children: ComponentChildren;
}

/** One that folds. */
export function Fold({ title, isOpen = false, children }: SectionFrameProps) {
  return (
    <details class="section" open={isOpen}>
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

/** Whether something is wrong in a part. */
export function isFaulty(faults: Faults, part: string): boolean {
  return Object.keys(faults).some((path) => path === part || path.startsWith(`${part}.`));
}
