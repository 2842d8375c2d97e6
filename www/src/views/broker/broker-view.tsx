// What stands here until the view is built.

import { t } from '../../i18n/index.ts';

export function BrokerView() {
  return (
    <section class="placeholder" aria-label={t('view.broker')}>
      <h2>{t('view.broker')}</h2>
      <p class="muted">{t('broker.placeholder')}</p>
    </section>
  );
}
