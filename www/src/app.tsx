// The page: its head, the connections, and the view that is looked at.

import type { Workspace } from './model/workspace.ts';
import { t } from './i18n/index.ts';
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
    </>
  );
}

/** The address is left alone: it may be a link to a profile. */
function focusStage(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#stage')?.focus();
}
