// The last measurements beside each other; one of them is looked at.

import { t } from '../../i18n/index.ts';
import { milliseconds, rateText, serverText, settingText } from './bench-texts.ts';
import type { BenchState } from './bench-state.ts';

export function Runs({ state }: { state: BenchState }) {
  return (
    <section class="panel bench-runs" aria-label={t('bench.runs')}>
      <h3 class="panel-title">{t('bench.runs')}</h3>
      <div class="bench-table" tabIndex={0} role="group" aria-label={t('bench.runs')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('bench.scenario')}</th>
              <th scope="col">{t('bench.server')}</th>
              <th scope="col">{t('bench.setting')}</th>
              <th scope="col">{t('bench.perSecond')}</th>
              <th scope="col">p50</th>
              <th scope="col">p95</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            {state.runs.value.map((bench) => {
              bench.status.value; // drawn again when it is over
              const { durations } = bench.tally;
              return (
                <tr key={bench.began}>
                  <th scope="row">
                    <button type="button" class="quiet" aria-pressed={state.shown.value === bench} onClick={() => (state.shown.value = bench)}>
                      {t(`bench.scenario.${bench.setting.scenario}`)}
                    </button>
                  </th>
                  <td>{serverText(bench)}</td>
                  <td>{settingText(bench.setting)}</td>
                  <td>{rateText(bench)}</td>
                  <td>{milliseconds(durations.at(0.5))}</td>
                  <td>{milliseconds(durations.at(0.95))}</td>
                  <td>{milliseconds(durations.at(0.99))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
