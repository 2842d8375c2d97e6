// The page: its head, the connections, and the view that is looked at.

import { lazy } from './components/lazy.tsx';
import { t } from './i18n/index.ts';
import type { Workspace } from './model/workspace.ts';
import type { ConnectDialogProps } from './views/connect/connect-dialog.tsx';
import { ConnectionsBar } from './views/shell/connections-bar.tsx';
import { Header } from './views/shell/header.tsx';
import { Navigation } from './views/shell/navigation.tsx';
import { Stage } from './views/shell/stage.tsx';

export function App({ workspace }: { workspace: Workspace }) {
  return (
    <>
      <a class="skip" href="#stage" onClick={(event) => focusStage(event)}>
        {t('shell.skip')}
      </a>
      <Header workspace={workspace} />
      <Navigation workspace={workspace} />
      <ConnectionsBar workspace={workspace} />
      <Stage workspace={workspace} />
      {workspace.draft.value && <ConnectDialog workspace={workspace} draft={workspace.draft.value} />}
    </>
  );
}

const ConnectDialog = lazy<ConnectDialogProps>(async () => (await import('./views/connect/connect-dialog.tsx')).ConnectDialog);

/** The address is left alone: it may be a link to a profile. */
function focusStage(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#stage')?.focus();
}
