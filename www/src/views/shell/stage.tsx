// Where the view that is looked at stands: once, or once for each connection.

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Notice } from '../../components/notice.tsx';
import { t } from '../../i18n/index.ts';
import type { View, Workspace } from '../../model/workspace.ts';
import { type ViewProps, views } from '../index.ts';
import { connectionName } from './connection-name.ts';
import { ConnectionProblem } from './connection-problem.tsx';
import { problemText } from './problem-text.ts';

export function Stage({ workspace }: { workspace: Workspace }) {
  const view = workspace.view.value;
  const { isPerConnection } = views[view];
  const connections = workspace.connections.value;
  const selected = workspace.selected.value;
  const isSplit = isPerConnection && workspace.isSideBySide.value && connections.length > 1;
  return (
    <main id="stage" class={isSplit ? 'stage stage-split' : 'stage'} tabIndex={-1}>
      {workspace.broker.status.value === 'failed' && (
        <Notice {...problemText({ during: 'connect', error: workspace.broker.error }, 'tab')} text={t('problem.brokerFailed')} />
      )}
      {isSplit ? (
        connections.map((connection) => (
          <section key={connection.number} class="column" aria-label={connectionName(connection)}>
            <h2 class="column-name">{connectionName(connection)}</h2>
            <Pane workspace={workspace} view={view} connection={connection} />
          </section>
        ))
      ) : (
        <Pane workspace={workspace} view={view} connection={selected} />
      )}
    </main>
  );
}

function Pane({ view, ...props }: ViewProps & { view: View }) {
  return (
    <>
      {props.connection && <ConnectionProblem connection={props.connection} />}
      <LoadedView key={`${view} ${props.connection?.number}`} view={view} {...props} />
    </>
  );
}

function LoadedView({ view, ...props }: ViewProps & { view: View }) {
  const isFailed = useSignal(false);
  const attempts = useSignal(0);
  const Loaded = useSignal<ComponentType<ViewProps> | null>(loaded.get(view) ?? null);
  useEffect(() => {
    isFailed.value = false;
    views[view].load().then(
      (component) => {
        loaded.set(view, component);
        Loaded.value = component;
      },
      () => (isFailed.value = true),
    );
  }, [attempts.value]);

  if (Loaded.value) return <Loaded.value {...props} />;
  if (!isFailed.value) return <p class="muted placeholder">{t('shell.loading')}</p>;
  return (
    <Notice text={t('shell.loadFailed')}>
      <button type="button" class="secondary" onClick={() => (attempts.value += 1)}>
        {t('shell.tryAgain')}
      </button>
    </Notice>
  );
}

/** So that a view that was seen before is drawn at once. */
const loaded = new Map<View, ComponentType<ViewProps>>();

