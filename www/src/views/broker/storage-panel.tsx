// Where the broker keeps what outlives it, how much that is, and whether it can.

import { useId } from 'preact/hooks';
import { Notice } from '../../components/notice.tsx';
import { size } from '../../components/size.ts';
import { number, t } from '../../i18n/index.ts';
import type { InTabBroker, StorageKind } from '../../model/in-tab-broker.ts';

export function StoragePanel({ broker }: { broker: InTabBroker }) {
  broker.statistics.value; // drawn again whenever the broker is looked at
  const storage = broker.storage;
  return (
    <section class="panel storage" aria-label={t('broker.storage')}>
      <h3 class="panel-title">{t('broker.storage')}</h3>
      <p class="muted">{t('broker.storage.text')}</p>
      <Problem error={broker.storageError.value} />
      <fieldset class="storage-kinds">
        <legend class="field-label">{t('broker.storage.where')}</legend>
        {KINDS.map((kind) => (
          <Kind key={kind} kind={kind} broker={broker} />
        ))}
      </fieldset>
      {storage && (
        <dl class="storage-figures">
          <div>
            <dt>{t('broker.storage.records')}</dt>
            <dd>{number(storage.length)}</dd>
          </div>
          <div>
            <dt>{t('broker.storage.bytes')}</dt>
            <dd>{size(storage.bytes)}</dd>
          </div>
          <div>
            <dt>{t('broker.storage.commits')}</dt>
            <dd>{number(storage.commits)}</dd>
          </div>
        </dl>
      )}
    </section>
  );
}

function Kind({ kind, broker }: { kind: StorageKind; broker: InTabBroker }) {
  const id = useId();
  return (
    <div class="storage-kind">
      <input
        id={id}
        type="radio"
        name="storage"
        checked={broker.storageKind.value === kind}
        disabled={broker.status.value !== 'open'}
        aria-describedby={`${id}-text`}
        onChange={() => void broker.keepIn(kind)}
      />
      <label for={id}>{t(`broker.storage.${kind}`)}</label>
      <p id={`${id}-text`} class="field-hint">
        {t(`broker.storage.${kind}Text`)}
      </p>
    </div>
  );
}

/** What the library says of it is in English; what it means is not. */
function Problem({ error }: { error: unknown }) {
  if (error === null) return null;
  const isInUse = (error as { code?: string }).code === 'storage-in-use';
  return <Notice text={t(isInUse ? 'broker.storage.inUse' : 'broker.storage.failed')} hints={isInUse ? [] : [(error as Error).message]} />;
}

const KINDS: readonly StorageKind[] = ['memory', 'indexedDb'];
