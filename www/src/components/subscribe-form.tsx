import { useSignal } from '@preact/signals';
import type { QoS } from 'mqlite/broker';
import type { ClientModel } from '../state/client.js';
import { QoSField, TextField } from './field.js';

/** Subscribes, and lists the subscriptions with a way out of each. */
export function SubscribeForm({ client }: { client: ClientModel }) {
  const filter = useSignal('sensor/+/temperature');
  const qos = useSignal<QoS>(0);
  const subscriptions = client.subscriptions.value;

  return (
    <section class="part">
      <form
        class="fields"
        aria-label={`Subscribe as ${client.name.value}`}
        onSubmit={(event) => {
          event.preventDefault();
          void client.subscribe(filter.value, qos.value);
        }}
      >
        <TextField label="Topic filter" value={filter} width="wide" />
        <QoSField value={qos} />
        <button type="submit" disabled={!client.connected.value}>
          Subscribe
        </button>
      </form>
      {subscriptions.size > 0 && (
        <ul class="chips" aria-label="Subscriptions">
          {[...subscriptions].map(([subscribed, granted]) => (
            <li key={subscribed} class="chip">
              <code>{subscribed}</code>
              <span class="badge">QoS {granted}</span>
              <button
                type="button"
                class="quiet"
                aria-label={`Unsubscribe from ${subscribed}`}
                title="Unsubscribe"
                disabled={!client.connected.value}
                onClick={() => void client.unsubscribe(subscribed)}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
