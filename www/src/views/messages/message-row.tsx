// One message of the list, on one line or two.

import { Icon } from '../../components/icon.tsx';
import { timeOfDay } from '../../components/message-facts.tsx';
import { t } from '../../i18n/index.ts';
import type { Subscription } from '../../model/connection.ts';
import { preview } from '../../model/formats.ts';
import type { LoggedMessage } from '../../model/message.ts';

export function MessageRow({ message, subscription }: { message: LoggedMessage; subscription: Subscription | undefined }) {
  const { time, direction, topic, payload, qos, retain, dup } = message;
  const { text, rest } = preview(payload);
  return (
    <>
      <time dateTime={new Date(time).toISOString()}>{timeOfDay(time)}</time>
      <span class="direction" title={subscription && t('messages.by', { filter: subscription.filter })}>
        <Icon name={direction === 'sent' ? 'sent' : 'received'} />
        <span class="visually-hidden">{t(`messages.${direction}`)}</span>
      </span>
      <code class="topic">
        <bdi>{topic}</bdi>
      </code>
      <span class="message-payload">
        {payload.byteLength === 0 ? <span class="muted">{t('messages.emptyPayload')}</span> : <bdi>{text}</bdi>}
        {rest > 0 && <span class="muted"> {t('payload.more', { count: rest })}</span>}
      </span>
      <span class="badges">
        {dup && <span class="badge badge-dup">{t('messages.dup')}</span>}
        {retain && <span class="badge badge-retain">{t('messages.retain')}</span>}
        <span class="badge">{t('messages.qos', { qos })}</span>
      </span>
    </>
  );
}
