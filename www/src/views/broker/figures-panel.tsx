// What the broker counts, each figure with the topic of `$SYS` that tells it.

import type { BrokerStatistics } from 'mqlite/broker';
import { number, t } from '../../i18n/index.ts';
import { LIMITS } from '../../model/broker-limits.ts';
import type { InTabBroker } from '../../model/in-tab-broker.ts';

export function FiguresPanel({ broker }: { broker: InTabBroker }) {
  const statistics = broker.status.value === 'open' ? broker.statistics.value : null;
  return (
    <section class="panel" aria-label={t('broker.figures')}>
      <h3 class="panel-title">{t('broker.figures')}</h3>
      <p class="muted">{t('broker.figures.text', { seconds: LIMITS.sysIntervalSeconds })}</p>
      {statistics && (
        <table class="figures">
          <thead class="visually-hidden">
            <tr>
              <th scope="col">{t('broker.figures.name')}</th>
              <th scope="col">{t('broker.figures.value')}</th>
            </tr>
          </thead>
          <tbody>
            {FIGURES.map(([name, topic]) => (
              <tr key={name}>
                <th scope="row">
                  {t(`broker.figure.${name}`)}
                  {topic && <code class="figure-topic">$SYS/broker/{topic}</code>}
                </th>
                <td>{number(statistics[name])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const FIGURES: readonly (readonly [name: keyof BrokerStatistics, topic?: string])[] = [
  ['clientsConnected', 'clients/connected'],
  ['clientsMaximum', 'clients/maximum'],
  ['sessions', 'clients/total'],
  ['subscriptions', 'subscriptions/count'],
  ['subscriptionBytes'],
  ['messagesReceived', 'messages/received'],
  ['messagesSent', 'messages/sent'],
  ['messagesStored', 'messages/stored'],
  ['messagesDelayed', 'messages/delayed'],
  ['messagesInReview'],
  ['messagesDropped', 'messages/dropped'],
  ['messagesRefused', 'messages/refused'],
  ['messageBytes'],
  ['retainedMessages', 'retained messages/count'],
  ['retainedBytes', 'retained messages/bytes'],
  ['bytesReceived', 'bytes/received'],
  ['bytesSent', 'bytes/sent'],
  ['connectionsRefused', 'connections/refused'],
];
