// What stands here until the view is built.

import { t } from '../../i18n/index.ts';

export function TourView() {
  return (
    <section class="placeholder" aria-label={t('view.tour')}>
      <h2>{t('view.tour')}</h2>
      <p class="muted">{t('tour.placeholder')}</p>
    </section>
  );
}
