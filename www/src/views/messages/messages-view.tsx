// The messages of one connection, beside what it subscribes to and what it publishes.

import { t } from '../../i18n/index.ts';
import type { ViewProps } from '../index.ts';
import { MessageList } from './message-list.tsx';
import { PublishForm } from './publish-form.tsx';
import '../../style/publish.css';
import { Subscriptions } from './subscriptions.tsx';

export function MessagesView({ workspace, connection }: ViewProps) {
  if (!connection) return <p class="muted placeholder">{t('shell.none')}</p>;
  return (
    <div class="messages-view">
      <div class="side">
        <Subscriptions connection={connection} />
        <PublishForm connection={connection} store={workspace.store} />
      </div>
      <MessageList connection={connection} />
    </div>
  );
}
