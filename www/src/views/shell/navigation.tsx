// The views as tabs: beside the head on a wide window, at the foot of a narrow one.

import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import { VIEWS, type Workspace } from '../../model/workspace.ts';

export function Navigation({ workspace }: { workspace: Workspace }) {
  const selected = workspace.view.value;
  return (
    <nav class="views" aria-label={t('shell.views')}>
      {VIEWS.map((view) => (
        <button
          key={view}
          type="button"
          class="view-tab"
          aria-current={view === selected ? 'page' : undefined}
          onClick={() => (workspace.view.value = view)}
        >
          <Icon name={view} />
          <span>{t(`view.${view}`)}</span>
        </button>
      ))}
    </nav>
  );
}
