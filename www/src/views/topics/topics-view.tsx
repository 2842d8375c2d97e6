// What stands here until the view is built.

import { t } from '../../i18n/index.ts';

export function TopicsView() {
  return (
    <section class="placeholder" aria-label={t('view.topics')}>
      <h2>{t('view.topics')}</h2>
      <p class="muted">{t('topics.placeholder')}</p>
    </section>
  );
}
