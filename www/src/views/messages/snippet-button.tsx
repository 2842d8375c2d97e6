// Shows how a program or a command does the same.

import { useSignal } from '@preact/signals';
import { Icon } from '../../components/icon.tsx';
import { lazy } from '../../components/lazy.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import type { Action } from '../../model/snippet-source.ts';
import type { SnippetDialogProps } from './snippet-dialog.tsx';

interface SnippetButtonProps {
  readonly connection: Connection;
  /** `null` where something is wrong with it. */
  readonly action: () => Action | null;
}

export function SnippetButton({ connection, action }: SnippetButtonProps) {
  const shown = useSignal<Action | null>(null);
  return (
    <>
      <button type="button" class="quiet" onClick={() => (shown.value = action())}>
        <Icon name="code" />
        {t('snippet.code')}
      </button>
      {shown.value && <SnippetDialog profile={connection.profile} action={shown.value} onClose={() => (shown.value = null)} />}
    </>
  );
}

const SnippetDialog = lazy<SnippetDialogProps>(async () => (await import('./snippet-dialog.tsx')).SnippetDialog);
