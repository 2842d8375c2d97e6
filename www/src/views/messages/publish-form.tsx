// Publishes an Application Message.

import { useSignal } from '@preact/signals';
import type { QoS } from 'mqlite/broker';
import { CheckField, QosField, TextArea, TextField } from '../../components/field.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { connectionName } from '../shell/connection-name.ts';

export function PublishForm({ connection }: { connection: Connection }) {
  const topic = useSignal('sensor/10/temperature');
  const payload = useSignal('23.5');
  const qos = useSignal<QoS>(0);
  const retain = useSignal(false);
  return (
    <div class="panel">
      <h2 class="panel-title">{t('publish.title')}</h2>
      <form
        class="fields"
        aria-label={t('publish.as', { name: connectionName(connection) })}
        onSubmit={(event) => {
          event.preventDefault();
          const bytes = new TextEncoder().encode(payload.value);
          void connection.publish({ topic: topic.value, payload: bytes, qos: qos.value, retain: retain.value });
        }}
      >
        <TextField label={t('publish.topic')} width="full" value={topic.value} onInput={(text) => (topic.value = text)} />
        <TextArea label={t('publish.payload')} width="full" value={payload.value} onInput={(text) => (payload.value = text)} />
        <QosField value={qos.value} onInput={(value) => (qos.value = value)} />
        <CheckField label={t('publish.retain')} value={retain.value} onInput={(value) => (retain.value = value)} />
        <button type="submit" disabled={connection.status.value !== 'connected'}>
          {t('publish.publish')}
        </button>
      </form>
    </div>
  );
}
