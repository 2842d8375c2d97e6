// What stands here until the view is built.

import { t } from '../../i18n/index.ts';

export function WireView() {
  return (
    <section class="placeholder" aria-label={t('view.wire')}>
      <h2>{t('view.wire')}</h2>
      <p class="muted">{t('wire.placeholder')}</p>
    </section>
  );
}
