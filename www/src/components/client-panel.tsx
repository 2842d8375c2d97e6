import type { ClientModel } from '../state/client.js';
import { ConnectionForm } from './connection-form.js';
import { MessageLog } from './message-log.js';
import { Notice } from './notice.js';
import { PublishForm } from './publish-form.js';
import { SubscribeForm } from './subscribe-form.js';

/** One client: its connection, its subscriptions, its messages. */
export function ClientPanel({ client }: { client: ClientModel }) {
  const name = client.name.value;
  const status = client.status.value;
  const heading = `client-${client.number}`;

  return (
    <article class="panel" aria-labelledby={heading}>
      <form
        class="part"
        aria-label={`Connection of ${name}`}
        onSubmit={(event) => {
          event.preventDefault();
          void (status === 'disconnected' ? client.connect() : client.disconnect());
        }}
      >
        <header class="panel-head">
          <span class={`lamp lamp-${status}`} aria-hidden="true" />
          <h2 id={heading}>{name}</h2>
          <span class="muted" role="status">
            {status}
          </span>
          <button type="submit" class={status === 'disconnected' ? '' : 'secondary'}>
            {status === 'disconnected' ? 'Connect' : 'Disconnect'}
          </button>
        </header>
        <details open={status === 'disconnected'}>
          <summary>{client.summary.value}</summary>
          <ConnectionForm client={client} />
        </details>
      </form>
      {client.problem.value !== null && (
        <Notice text={client.problem.value} onDismiss={() => (client.problem.value = null)} />
      )}
      <SubscribeForm client={client} />
      <PublishForm client={client} />
      <MessageLog log={client.log} owner={name} />
    </article>
  );
}
