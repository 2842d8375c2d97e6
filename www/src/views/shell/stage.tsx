// Where the view that is looked at stands: once, or once for each connection.

import { Notice } from '../../components/notice.tsx';
import { t } from '../../i18n/index.ts';
import type { View, Workspace } from '../../model/workspace.ts';
import { type ViewProps, views } from '../index.ts';
import { connectionName } from './connection-name.ts';
import { ConnectionProblem } from './connection-problem.tsx';
import { problemText } from './problem-text.ts';
import { TourOffer } from './tour-offer.tsx';

export function Stage({ workspace }: { workspace: Workspace }) {
  const view = workspace.view.value;
  const { isPerConnection } = views[view];
  const connections = workspace.connections.value;
  const selected = workspace.selected.value;
  const isSplit = isPerConnection && workspace.isSideBySide.value && connections.length > 1;
  return (
    <main id="stage" class="stage" tabIndex={-1}>
      {workspace.broker.status.value === 'failed' && (
        <Notice {...problemText({ during: 'connect', error: workspace.broker.error }, 'tab')} text={t('problem.brokerFailed')} />
      )}
      {workspace.isLinkBad.value && <Notice text={t('connect.badLink')} onDismiss={() => (workspace.isLinkBad.value = false)} />}
      {view === 'messages' && <TourOffer workspace={workspace} />}
      {isSplit ? (
        <div class="stage-split">
          {connections.map((connection) => (
            <section key={connection.number} class="column" aria-label={connectionName(connection)}>
              <h2 class="column-name">{connectionName(connection)}</h2>
              <Pane workspace={workspace} view={view} connection={connection} />
            </section>
          ))}
        </div>
      ) : (
        <Pane workspace={workspace} view={view} connection={selected} />
      )}
    </main>
  );
}

function Pane({ view, ...props }: ViewProps & { view: View }) {
  const { View: Shown } = views[view];
  return (
    <>
      {props.connection && <ConnectionProblem connection={props.connection} />}
      <Shown key={`${view} ${props.connection?.number}`} {...props} />
    </>
  );
}
