// The retained messages that the broker has, of the topics that a filter takes.

import { useSignal } from '@preact/signals';
import type { Broker, Page, RetainedMessage } from 'mqlite/broker';
import { TextField } from '../../components/field.tsx';
import { number, t } from '../../i18n/index.ts';
import { preview } from '../../model/formats.ts';
import type { InTabBroker } from '../../model/in-tab-broker.ts';

export function RetainedPanel({ broker: { running: broker, statistics } }: { broker: InTabBroker }) {
  const filter = useSignal('#');
  statistics.value; // drawn again whenever the broker is looked at
  if (!broker) return null;
  const found = find(broker, filter.value);
  return (
    <section class="panel" aria-label={t('broker.retained')}>
      <h3 class="panel-title">{t('broker.retained')}</h3>
      <p class="muted">{t('broker.retained.text')}</p>
      <div class="fields retained-filter">
        <TextField
          label={t('broker.retained.filter')}
          width="wide"
          value={filter.value}
          fault={found ? undefined : t('broker.retained.bad')}
          onInput={(value) => (filter.value = value)}
        />
      </div>
      {found && (found.items.length === 0 ? <p class="muted">{t('broker.retained.none')}</p> : <Table messages={found.items} />)}
      {found?.next !== undefined && <p class="muted">{t('broker.more', { count: found.items.length })}</p>}
    </section>
  );
}

function Table({ messages }: { messages: readonly RetainedMessage[] }) {
  return (
    <div class="table-frame" tabIndex={0} role="group" aria-label={t('broker.retained')}>
      <table class="retained">
        <thead>
          <tr>
            <th scope="col">{t('broker.retained.topic')}</th>
            <th scope="col">{t('broker.retained.payload')}</th>
            <th scope="col" class="is-number">
              QoS
            </th>
            <th scope="col" class="is-number">
              {t('broker.retained.bytes')}
            </th>
          </tr>
        </thead>
        <tbody>
          {messages.map(({ topic, payload, qos }) => {
            const { text, rest } = preview(payload);
            return (
              <tr key={topic}>
                <th scope="row">
                  <bdi>{topic}</bdi>
                </th>
                <td class="retained-payload">
                  <bdi>{text}</bdi>
                  {rest > 0 && <span class="muted"> {t('payload.more', { count: rest })}</span>}
                </td>
                <td class="is-number">{qos}</td>
                <td class="is-number">{number(payload.byteLength)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** `undefined` for what is no filter, as the broker judges. */
function find(broker: Broker, filter: string): Page<RetainedMessage> | undefined {
  try {
    return broker.retained(filter, { limit: MOST });
  } catch {
    return undefined;
  }
}

/** Rows that are shown. */
const MOST = 200;
