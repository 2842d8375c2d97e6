// The tour: its lessons as a list, and the one that the reader is at.

import '../../style/wire.css';
import '../../style/tour.css';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import { LESSONS } from '../../model/tour-progress.ts';
import type { ViewProps } from '../index.ts';
import { End } from './end.tsx';
import { Lesson } from './lesson.tsx';
import { tourState, type TourState } from './tour-state.ts';
import { lessonTexts } from './tour-words.tsx';

export function TourView({ workspace }: ViewProps) {
  const state = tourState(workspace);
  const place = workspace.tour.place.value;
  return (
    <div class="tour">
      <h2 class="visually-hidden">{t('view.tour')}</h2>
      <Lessons state={state} />
      {place === 'end' ? <End state={state} /> : <Lesson key={place} name={place} state={state} />}
    </div>
  );
}

function Lessons({ state }: { state: TourState }) {
  const { place, done } = state.workspace.tour;
  return (
    <section class="panel tour-lessons" aria-label={t('tour.lessons')}>
      <ol>
        {LESSONS.map((name, index) => {
          const isDone = done.value.has(name);
          return (
            <li key={name}>
              <button
                type="button"
                class={isDone ? 'tour-lesson is-done' : 'tour-lesson'}
                aria-current={place.value === name ? 'step' : undefined}
                onClick={() => state.goTo(name)}
              >
                <span class="tour-number" aria-hidden="true">
                  {isDone ? <Icon name="check" /> : index + 1}
                </span>
                <span class="tour-title">{lessonTexts(name).title}</span>
                {isDone && <span class="visually-hidden">{t('tour.done')}</span>}
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
