// The connections as a row: which there are, how each does, and which is looked at.

import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { newProfile } from '../../model/profile.ts';
import type { Workspace } from '../../model/workspace.ts';
import { views } from '../index.ts';
import { connectionName, serverName } from './connection-name.ts';

export function ConnectionsBar({ workspace }: { workspace: Workspace }) {
  const connections = workspace.connections.value;
  const canSplit = views[workspace.view.value].isPerConnection && connections.length > 1;
  return (
    <section class="connections" aria-label={t('connections.title')}>
      <ul class="connections-list">
        {connections.map((connection) => (
          <li key={connection.number}>
            <ConnectionCard workspace={workspace} connection={connection} />
          </li>
        ))}
      </ul>
      <button
        type="button"
        class="secondary add"
        onClick={() => (workspace.draft.value = { profile: newProfile(), connection: null })}
      >
        <Icon name="add" />
        <span>{t('connections.add')}</span>
      </button>
      {canSplit && (
        <button
          type="button"
          class="toggle split"
          aria-pressed={workspace.isSideBySide.value}
          onClick={() => (workspace.isSideBySide.value = !workspace.isSideBySide.value)}
        >
          <Icon name="columns" />
          {t('connections.sideBySide')}
        </button>
      )}
    </section>
  );
}

function ConnectionCard({ workspace, connection }: { workspace: Workspace; connection: Connection }) {
  const name = connectionName(connection);
  const status = connection.status.value;
  const isSelected = workspace.selected.value === connection;
  return (
    <div class={`card ${isSelected ? 'card-selected' : ''}`}>
      <button type="button" class="card-main" aria-pressed={isSelected} onClick={() => (workspace.selected.value = connection)}>
        <span class={`lamp lamp-${status}`} aria-hidden="true" />
        <span class="card-name">{name}</span>
        <span class="card-server">{serverName(connection.profile.server)}</span>
        {status === 'connected' && connection.welcome.value?.sessionPresent && <span class="card-session">{t('connections.sessionPresent')}</span>}
        {status === 'connected' ? (
          <span class="card-rate">{t('connections.rate', { count: connection.rate.value })}</span>
        ) : (
          <span class="card-status">{t(`connections.status.${status}`)}</span>
        )}
      </button>
      {isSelected && <CardTools workspace={workspace} connection={connection} name={name} />}
    </div>
  );
}

function CardTools({ workspace, connection, name }: { workspace: Workspace; connection: Connection; name: string }) {
  const status = connection.status.value;
  const action = status === 'disconnected' ? 'connect' : status === 'connected' ? 'disconnect' : 'cancel';
  return (
    <span class="card-tools">
      <button type="button" class="quiet" onClick={() => void (action === 'connect' ? connection.connect() : connection.end())}>
        {t(`connections.${action}`)}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={`${t('connections.edit')}: ${name}`}
        title={t('connections.edit')}
        onClick={() => (workspace.draft.value = { profile: connection.profileNow, connection })}
      >
        <Icon name="settings" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={t('connections.close', { name })}
        title={t('connections.close', { name })}
        onClick={() => void workspace.close(connection)}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}
