// Kills the broker, restores it, and tells what survived.

import { number, t, type TextKey } from '../../i18n/index.ts';
import type { InTabBroker } from '../../model/in-tab-broker.ts';
import { type Inventory, lossOf, waiting } from '../../model/inventory.ts';

export function CrashPanel({ broker }: { broker: InTabBroker }) {
  const status = broker.status.value;
  const crash = broker.crash.value;
  return (
    <section class="panel crash" aria-label={t('broker.crash')}>
      <div class="crash-head">
        <h3 class="panel-title">{t('broker.crash')}</h3>
        {status === 'open' || status === 'opening' ? (
          <button type="button" class="secondary danger" disabled={status !== 'open'} onClick={() => broker.kill()}>
            {t('broker.kill')}
          </button>
        ) : (
          <button type="button" onClick={() => void broker.restore()}>
            {t(status === 'killed' ? 'broker.restore' : 'broker.start')}
          </button>
        )}
      </div>
      <p class="muted">{t('broker.crash.text')}</p>
      <p class="crash-status" role="status">
        {status === 'killed' && t('broker.crash.killed')}
      </p>
      {crash && <Survivors before={crash.before} after={crash.after} />}
    </section>
  );
}

function Survivors({ before, after }: { before: Inventory; after: Inventory | null }) {
  const loss = after && lossOf(before, after);
  return (
    <>
      <h4>{t('broker.crash.survived')}</h4>
      {after && <p class="muted">{t('broker.crash.survivedText')}</p>}
      <table class="figures survivors">
        <thead>
          <tr>
            <th scope="col">{t('broker.crash.what')}</th>
            <th scope="col">{t('broker.crash.before')}</th>
            <th scope="col">{t('broker.crash.after')}</th>
          </tr>
        </thead>
        <tbody>
          {COUNTS.map(([name, count]) => (
            <tr key={name}>
              <th scope="row">{t(name)}</th>
              <td>{number(count(before))}</td>
              <td class={after && count(after) < count(before) ? 'is-less' : ''}>{after ? number(count(after)) : '…'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {loss && loss.sessions.length > 0 && <p class="muted">{t('broker.crash.lostSessions', { names: some(loss.sessions) })}</p>}
      {loss && loss.topics.length > 0 && <p class="muted">{t('broker.crash.lostTopics', { names: some(loss.topics) })}</p>}
      {loss && loss.sessions.length + loss.topics.length === 0 && <p class="muted">{t('broker.crash.nothingLost')}</p>}
    </>
  );
}

/** A few names, and how many more there are. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST).join(', ');
  return names.length > MOST ? t('broker.crash.more', { names: shown, count: names.length - MOST }) : shown;
}

const COUNTS: readonly (readonly [TextKey, (inventory: Inventory) => number])[] = [
  ['broker.crash.connections', ({ statistics }) => statistics.clientsConnected],
  ['broker.crash.sessions', ({ statistics }) => statistics.sessions],
  ['broker.crash.subscriptions', ({ statistics }) => statistics.subscriptions],
  ['broker.crash.waiting', ({ clients }) => clients.reduce((sum, client) => sum + waiting(client), 0)],
  ['broker.crash.retained', ({ statistics }) => statistics.retainedMessages],
  ['broker.crash.received', ({ statistics }) => statistics.messagesReceived],
];

const MOST = 8;
