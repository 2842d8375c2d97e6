// What is wrong with a draft, as a sentence.

import { t } from '../../i18n/index.ts';
import type { DraftFault } from '../../model/publication-draft.ts';

export function draftFaultText(fault: DraftFault | undefined): string | undefined {
  if (fault === undefined) return undefined;
  if (typeof fault === 'string') return t(`fault.${fault}`);
  if ('place' in fault) return t(`fill.${fault.fault}`, { place: fault.place });
  return t(`publish.fault.${fault.fault}`, { detail: fault.detail });
}
