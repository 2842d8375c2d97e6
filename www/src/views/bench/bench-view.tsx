// Measurements: what is asked for, what is found, and what was found before.

import '../../style/bench.css';
import { t } from '../../i18n/index.ts';
import type { ViewProps } from '../index.ts';
import { benchState } from './bench-state.ts';
import { Result } from './result.tsx';
import { Runs } from './runs.tsx';
import { SettingForm } from './setting-form.tsx';

export function BenchView({ workspace }: ViewProps) {
  const state = benchState(workspace);
  const shown = state.shown.value;
  return (
    <div class="bench">
      <h2 class="visually-hidden">{t('view.bench')}</h2>
      <SettingForm state={state} />
      {shown ? (
        <Result key={shown.began} bench={shown} />
      ) : (
        <section class="panel bench-result" aria-label={t('bench.result')}>
          <p class="muted bench-nothing">{t('bench.nothing')}</p>
        </section>
      )}
      {state.runs.value.length > 1 && <Runs state={state} />}
    </div>
  );
}
