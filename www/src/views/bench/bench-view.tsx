// What stands here until the view is built.

import { t } from '../../i18n/index.ts';

export function BenchView() {
  return (
    <section class="placeholder" aria-label={t('view.bench')}>
      <h2>{t('view.bench')}</h2>
      <p class="muted">{t('bench.placeholder')}</p>
    </section>
  );
}
