// What a connection subscribes to, with a way into and out of each.

import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection, Subscription } from '../../model/connection.ts';
import { fromSubscription } from '../../model/subscription-draft.ts';
import { SubscribeForm } from './subscribe-form.tsx';
import { subscribeState, SUGGESTION } from './subscribe-state.ts';

export function Subscriptions({ connection }: { connection: Connection }) {
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
      <SubscribeForm connection={connection} />
    </div>
  );
}

interface RowProps {
  readonly connection: Connection;
  readonly subscription: Subscription;
  readonly isConnected: boolean;
}

function SubscriptionRow({ connection, subscription, isConnected }: RowProps) {
  const { filter, granted, colour } = subscription;
  const label = t('subscriptions.unsubscribe', { filter });
  const options = optionTexts(subscription);
  const change = () => {
    const { draft, isOpen } = subscribeState(connection);
    draft.value = fromSubscription(subscription);
    isOpen.value = true;
  };
  return (
    <li class={`subscription hue-${colour}`}>
      <span class="subscription-filter">
        <code>{filter}</code>
        {options.length > 0 && <span class="subscription-options">{options.join(' · ')}</span>}
      </span>
      <span class="badge">
        {granted !== null ? t('messages.qos', { qos: granted }) : t(isConnected ? 'subscriptions.pending' : 'subscriptions.planned')}
      </span>
      <button type="button" class="icon-button" aria-label={t('subscriptions.change', { filter })} title={t('subscriptions.change', { filter })} onClick={change}>
        <Icon name="settings" />
      </button>
      <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => void connection.unsubscribe(filter)}>
        <Icon name="close" />
      </button>
    </li>
  );
}

/** What is not at its default. */
function optionTexts({ noLocal, retainAsPublished, retainHandling, identifier }: Subscription): string[] {
  return [
    ...(noLocal ? [t('subscriptions.noLocal')] : []),
    ...(retainAsPublished ? [t('subscriptions.retainAsPublished')] : []),
    ...(retainHandling && retainHandling !== 'send' ? [t(`subscriptions.retainHandling.${retainHandling}`)] : []),
    ...(identifier !== undefined ? [t('subscriptions.identifier.is', { identifier: String(identifier) })] : []),
  ];
}
