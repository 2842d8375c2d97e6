// The ready-made experiments: one press runs one, step by step, and says what came of it.

import { t } from '../../i18n/index.ts';
import { type Experiment, EXPERIMENTS } from '../../model/experiments.ts';
import type { WireState } from './wire-state.ts';

export function ExperimentsPanel({ state }: { state: WireState }) {
  const { workspace, experiment } = state;
  const isReady = workspace.broker.status.value === 'open';
  const current = experiment.value;
  return (
    <section class="panel" aria-label={t('wire.experiments')}>
      <h2 class="panel-title">{t('wire.experiments')}</h2>
      <p class="muted">{t(isReady ? 'wire.experiments.text' : 'wire.experiments.needBroker')}</p>
      <ul class="experiments">
        {EXPERIMENTS.map((name) => (
          <li key={name} class={current?.name === name ? 'experiment is-current' : 'experiment'}>
            <button
              type="button"
              class="experiment-run"
              disabled={!isReady || current?.status.value === 'running'}
              onClick={() => void state.run(name)}
            >
              <strong>{t(`wire.experiment.${name}`)}</strong>
              <span>{t(`wire.experiment.${name}.text`)}</span>
            </button>
            {current?.name === name && <Course experiment={current} state={state} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Course({ experiment, state }: { experiment: Experiment; state: WireState }) {
  const status = experiment.status.value;
  const log = state.workspace.wire;
  return (
    <div class="course">
      <ol>
        {experiment.steps.value.map(({ name, entry }) => (
          <li key={name}>
            {entry === undefined ? (
              <span class="step">{t(`wire.step.${name}`)}</span>
            ) : (
              <button type="button" class="step" onClick={() => state.choose(log.numbered(entry))}>
                {t(`wire.step.${name}`)}
              </button>
            )}
          </li>
        ))}
      </ol>
      <p class={`course-end course-${status}`} role="status">
        {status === 'running' ? t('wire.experiment.running') : status === 'failed' ? t('wire.experiment.failed') : <OutcomeText experiment={experiment} />}
      </p>
      <button type="button" class="quiet" onClick={() => state.endExperiment()}>
        {t(status === 'running' ? 'wire.experiment.stop' : 'wire.experiment.close')}
      </button>
    </div>
  );
}

function OutcomeText({ experiment: { name, outcome } }: { experiment: Experiment }) {
  const { copies = 0, messages = 0, mostInFlight = 0 } = outcome.value ?? {};
  if (name === 'receiveMaximum') return <>{t('wire.outcome.receiveMaximum', { count: messages, most: mostInFlight })}</>;
  return <>{t(copies === messages ? 'wire.outcome.once' : 'wire.outcome.twice', { count: copies })}</>;
}
