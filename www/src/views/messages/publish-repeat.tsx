// Publishes again and again, each time with other values.

import { CheckField, NumberField } from '../../components/field.tsx';
import { number, t } from '../../i18n/index.ts';
import { GENERATORS } from '../../model/generators.ts';
import type { RepetitionState } from '../../model/repetition.ts';
import type { PublishPartProps } from './publish-form.tsx';
import { changeDraft, publicationOf } from './publish-state.ts';

export function PublishRepeat({ connection, state }: PublishPartProps) {
  const { repetition, every, times, draft } = state;
  const progress = repetition.state.value;
  const isRunning = progress.status === 'running';
  const isGood = isWithin(every.value, MOST_MILLIS) && (times.value === null || isWithin(times.value, MOST_TIMES));
  const start = () => {
    const repeated = draft.value;
    if (!publicationOf(connection, state, 0)) return;
    state.count.value = 0;
    void repetition.start(
      async (done) => {
        const publication = publicationOf(connection, state, done, repeated);
        return publication !== null && connection.publish(publication);
      },
      { every: every.value ?? 0, count: times.value },
    );
  };
  return (
    <>
      <NumberField
        label={t('repeat.every')}
        fault={isWithin(every.value, MOST_MILLIS) ? undefined : t('repeat.fault', { most: MOST_MILLIS })}
        value={every.value}
        onInput={(value) => (every.value = value)}
      />
      <NumberField
        label={t('repeat.times')}
        placeholder={t('repeat.endless')}
        fault={times.value === null || isWithin(times.value, MOST_TIMES) ? undefined : t('repeat.fault', { most: MOST_TIMES })}
        value={times.value}
        onInput={(value) => (times.value = value)}
      />
      {isRunning ? (
        <button type="button" class="secondary" onClick={() => repetition.stop()}>
          {t('repeat.stop')}
        </button>
      ) : (
        <button type="button" class="secondary" disabled={!isGood || connection.status.value !== 'connected'} onClick={start}>
          {t('repeat.start')}
        </button>
      )}
      {progress.status !== 'idle' && <Progress progress={progress} />}
      <div class="checks">
        <CheckField label={t('fill.use')} value={draft.value.isFilled} onInput={(value) => changeDraft(state, { isFilled: value })} />
      </div>
      <dl class="generators" aria-label={t('fill.title')}>
        {GENERATORS.map(([name, ...examples]) => (
          <div key={name}>
            <dt>
              {examples.map((example) => (
                <code key={example}>{example}</code>
              ))}
            </dt>
            <dd>{t(`fill.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Progress({ progress: { status, done, count } }: { progress: RepetitionState }) {
  const text = t(`repeat.is.${status === 'idle' ? 'stopped' : status}`, { done, count: count === null ? '∞' : number(count) });
  return (
    <div class="repetition field-full">
      {status === 'running' && <progress aria-label={t('repeat.progress')} value={count === null ? undefined : done} max={count ?? undefined} />}
      <p class={status === 'failed' ? 'field-fault' : 'field-hint'} role={status === 'running' ? undefined : 'status'}>
        {text}
      </p>
    </div>
  );
}

function isWithin(value: number | null, most: number): boolean {
  return value !== null && value >= 1 && value <= most;
}

/** An hour. */
const MOST_MILLIS = 3_600_000;
const MOST_TIMES = 10_000_000;
