import { useSignal } from '@preact/signals';
import type { QoS } from 'mqlite/broker';
import type { ClientModel } from '../state/client.js';
import { CheckField, Field, QoSField, TextField } from './field.js';

/** Publishes an Application Message. */
export function PublishForm({ client }: { client: ClientModel }) {
  const topic = useSignal('sensor/10/temperature');
  const payload = useSignal('23.5');
  const qos = useSignal<QoS>(0);
  const retain = useSignal(false);

  return (
    <section class="part">
      <form
        class="fields"
        aria-label={`Publish as ${client.name.value}`}
        onSubmit={(event) => {
          event.preventDefault();
          void client.publish(topic.value, payload.value, qos.value, retain.value);
        }}
      >
        <TextField label="Topic" value={topic} width="full" />
        <Field label="Payload" width="full">
          <textarea
            rows={2}
            spellcheck={false}
            value={payload}
            onInput={(event) => (payload.value = event.currentTarget.value)}
          />
        </Field>
        <QoSField value={qos} />
        <CheckField label="Retain" value={retain} />
        <button type="submit" disabled={!client.connected.value}>
          Publish
        </button>
      </form>
    </section>
  );
}
