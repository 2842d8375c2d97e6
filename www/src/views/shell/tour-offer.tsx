// The way into the tour, above the messages, until the reader has taken it or does not want it.

import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import { LESSONS, PLACES } from '../../model/tour-progress.ts';
import type { Workspace } from '../../model/workspace.ts';

export function TourOffer({ workspace }: { workspace: Workspace }) {
  const { tour, broker } = workspace;
  if (tour.isDismissed.value || broker.status.value === 'failed') return null;
  const count = LESSONS.length;
  const place = { number: PLACES.indexOf(tour.place.value) + 1, count };
  return (
    <section class="offer" aria-label={t('view.tour')}>
      <Icon name="tour" />
      <p class="offer-text">
        <strong>{t('tour.offer')}</strong> {tour.hasBegun ? t('tour.offer.begun', place) : t('tour.offer.text', { count })}
      </p>
      <span class="offer-tools">
        <button type="button" onClick={() => (workspace.view.value = 'tour')}>
          {t(tour.hasBegun ? 'tour.offer.goOn' : 'tour.offer.start')}
        </button>
        <button type="button" class="quiet" onClick={() => tour.dismiss()}>
          {t('tour.offer.dismiss')}
        </button>
      </span>
    </section>
  );
}
