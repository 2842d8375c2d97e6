// A button that puts a text on the clipboard, and says that it did.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { copy } from './save.ts';

export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const outcome = useSignal<'copied' | 'failed' | null>(null);
  useEffect(() => {
    if (outcome.value === null) return;
    const timer = setTimeout(() => (outcome.value = null), SHOWN);
    return () => clearTimeout(timer);
  }, [outcome.value]);
  return (
    <button type="button" class="quiet" onClick={async () => (outcome.value = (await copy(text())) ? 'copied' : 'failed')}>
      <span aria-live="polite">{outcome.value === null ? label : t(`copy.${outcome.value}`)}</span>
    </button>
  );
}

/** Milliseconds. */
const SHOWN = 1_500;
