// The sessions that the broker has, each with what waits for it.

import type { Broker, ClientDetails } from 'mqlite/broker';
import { duration } from '../../components/duration.ts';
import { number, t } from '../../i18n/index.ts';
import type { InTabBroker } from '../../model/in-tab-broker.ts';

export function SessionsPanel({ broker: { running: broker, statistics } }: { broker: InTabBroker }) {
  statistics.value; // drawn again whenever the broker is looked at
  if (!broker) return null;
  const { items, next } = broker.clients({ limit: MOST });
  return (
    <section class="panel" aria-label={t('broker.sessions')}>
      <h3 class="panel-title">{t('broker.sessions')}</h3>
      <p class="muted">{t('broker.sessions.text')}</p>
      {items.length === 0 ? (
        <p class="muted">{t('broker.sessions.none')}</p>
      ) : (
        <div class="table-frame" tabIndex={0} role="group" aria-label={t('broker.sessions')}>
          <table class="sessions">
            <thead>
              <tr>
                <th scope="col">{t('broker.sessions.client')}</th>
                <th scope="col">{t('broker.sessions.state')}</th>
                <th scope="col">{t('broker.sessions.expiry')}</th>
                <th scope="col" class="is-number">
                  {t('broker.sessions.subscriptions')}
                </th>
                <th scope="col" class="is-number">
                  {t('broker.sessions.queued')}
                </th>
                <th scope="col" class="is-number">
                  {t('broker.sessions.inFlight')}
                </th>
                <th scope="col">
                  <span class="visually-hidden">{t('broker.sessions.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((client) => (
                <Session key={client.clientId} client={client} broker={broker} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== undefined && <p class="muted">{t('broker.more', { count: items.length })}</p>}
    </section>
  );
}

function Session({ client, broker }: { client: ClientDetails; broker: Broker }) {
  const { clientId, connected, protocolVersion, subscriptions, queued, inFlight } = client;
  return (
    <tr>
      <th scope="row">
        <bdi>{clientId}</bdi>
      </th>
      <td>
        <span class="session-state">
          <span class={connected ? 'lamp lamp-connected' : 'lamp'} aria-hidden="true" />
          {connected ? t('broker.sessions.connected', { version: protocolVersion === 5 ? '5.0' : '3.1.1' }) : t('broker.sessions.away')}
        </span>
      </td>
      <td>{expiry(client)}</td>
      <td class="is-number">{number(subscriptions)}</td>
      <td class={queued > 0 ? 'is-number is-more' : 'is-number'}>{number(queued)}</td>
      <td class={inFlight > 0 ? 'is-number is-more' : 'is-number'}>{number(inFlight)}</td>
      <td class="session-actions">
        {connected && (
          <button type="button" class="quiet" aria-label={t('broker.sessions.disconnectOf', { client: clientId })} onClick={() => broker.disconnect(clientId)}>
            {t('broker.sessions.disconnect')}
          </button>
        )}
        <button
          type="button"
          class="quiet danger"
          aria-label={t('broker.sessions.endOf', { client: clientId })}
          onClick={() => broker.disconnect(clientId, { endSession: true })}
        >
          {t('broker.sessions.end')}
        </button>
      </td>
    </tr>
  );
}

function expiry({ sessionExpiryInterval }: ClientDetails): string {
  if (sessionExpiryInterval === 0) return t('broker.sessions.withConnection');
  if (sessionExpiryInterval === FOR_EVER) return t('broker.sessions.never');
  return t('broker.sessions.afterwards', { time: duration(sessionExpiryInterval) });
}

/** Rows that are shown. */
const MOST = 200;

/** A Session Expiry Interval that never ends [3.1.2.11.2]. */
const FOR_EVER = 0xffff_ffff;
