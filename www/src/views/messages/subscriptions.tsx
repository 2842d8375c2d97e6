// What a connection subscribes to, with a way into and out of each.

import { useSignal } from '@preact/signals';
import { QosField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection, Subscription } from '../../model/connection.ts';
import type { QoS } from 'mqlite/broker';
import { connectionName } from '../shell/connection-name.ts';

export function Subscriptions({ connection }: { connection: Connection }) {
  const filter = useSignal(SUGGESTION);
  const qos = useSignal<QoS>(0);
  const subscriptions = connection.subscriptions.value;
  const isConnected = connection.status.value === 'connected';
  return (
    <div class="panel">
      <h2 class="panel-title">{t('subscriptions.title')}</h2>
      {subscriptions.length > 0 ? (
        <ul class="subscriptions">
          {subscriptions.map((subscription) => (
            <SubscriptionRow key={subscription.filter} connection={connection} subscription={subscription} isConnected={isConnected} />
          ))}
        </ul>
      ) : (
        <p class="muted">{t('subscriptions.none', { filter: SUGGESTION })}</p>
      )}
      <form
        class="fields"
        aria-label={t('subscriptions.as', { name: connectionName(connection) })}
        onSubmit={(event) => {
          event.preventDefault();
          void connection.subscribe({ filter: filter.value, qos: qos.value });
        }}
      >
        <TextField label={t('subscriptions.filter')} width="full" value={filter.value} onInput={(text) => (filter.value = text)} />
        <QosField value={qos.value} onInput={(value) => (qos.value = value)} />
        <button type="submit" disabled={!isConnected}>
          {t('subscriptions.subscribe')}
        </button>
      </form>
    </div>
  );
}

interface RowProps {
  readonly connection: Connection;
  readonly subscription: Subscription;
  readonly isConnected: boolean;
}

function SubscriptionRow({ connection, subscription: { filter, granted, colour }, isConnected }: RowProps) {
  const label = t('subscriptions.unsubscribe', { filter });
  return (
    <li class={`subscription hue-${colour}`}>
      <code class="subscription-filter">{filter}</code>
      <span class="badge">
        {granted !== null ? t('messages.qos', { qos: granted }) : t(isConnected ? 'subscriptions.pending' : 'subscriptions.planned')}
      </span>
      <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => void connection.unsubscribe(filter)}>
        <Icon name="close" />
      </button>
    </li>
  );
}

/** The first filter of every introduction to MQTT. */
const SUGGESTION = 'sensor/+/temperature';
