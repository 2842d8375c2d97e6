// One lesson: what it is about, the button that does it, what really happened, and what to notice.

import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../../components/icon.tsx';
import { Notice } from '../../components/notice.tsx';
import { t } from '../../i18n/index.ts';
import { LESSONS, type LessonName, PLACES } from '../../model/tour-progress.ts';
import type { TourRun } from '../../model/tour-run.ts';
import { Happening } from './happening.tsx';
import type { TourState } from './tour-state.ts';
import { lessonTexts, Words } from './tour-words.tsx';

export function Lesson({ name, state }: { name: LessonName; state: TourState }) {
  const { title, text, action } = lessonTexts(name);
  const run = state.run.value;
  const status = run?.status.value;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Where the reader came from is gone: the list of lessons, or the buttons of another one.
    if (document.activeElement === null || document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <article class="tour-page" aria-label={title}>
      <section class="panel tour-text">
        <p class="muted">{t('tour.lesson', { number: LESSONS.indexOf(name) + 1, count: LESSONS.length })}</p>
        <h3 ref={heading} tabIndex={-1}>
          {title}
        </h3>
        <p class="tour-words">
          <Words text={text} />
        </p>
        <NeedsBroker state={state} />
        <button
          type="button"
          class={status === 'done' ? 'secondary tour-action' : 'tour-action'}
          disabled={state.workspace.broker.status.value !== 'open'}
          aria-disabled={status === 'running'} // it keeps the focus
          onClick={() => status !== 'running' && void state.start(name)}
        >
          <Icon name="play" />
          <span>{status === 'done' ? t('tour.again') : action}</span>
        </button>
      </section>
      <Happening run={run} state={state} />
      <Noticed name={name} run={run} state={state} />
    </article>
  );
}

function NeedsBroker({ state: { workspace } }: { state: TourState }) {
  const status = workspace.broker.status.value;
  if (status === 'open' || status === 'opening') return null;
  return (
    <Notice text={t('tour.noBroker')}>
      <button type="button" class="secondary" onClick={() => void workspace.broker.open()}>
        {t('tour.startBroker')}
      </button>
    </Notice>
  );
}

function Noticed({ name, run, state }: { name: LessonName; run: TourRun | null; state: TourState }) {
  const status = run?.status.value;
  const place = PLACES.indexOf(name);
  const [before, next] = [PLACES[place - 1], PLACES[place + 1] ?? 'end'];
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (status === 'done') section.current?.scrollIntoView({ block: 'nearest' });
  }, [status]);
  return (
    <section ref={section} class="panel tour-noticed" aria-label={t('tour.notice')}>
      <p class="tour-status" role="status">
        {status === 'running' && t('tour.running')}
        {status === 'done' && t('tour.finished')}
        {status === 'failed' && t('tour.failed')}
      </p>
      {run && status === 'done' && (
        <ul class="tour-notice">
          {lessonTexts(name).notice.map((line) => (
            <li key={line}>
              <Words text={line} facts={run.facts} />
            </li>
          ))}
        </ul>
      )}
      <div class="tour-ways">
        {before && (
          <button type="button" class="secondary" onClick={() => state.goTo(before)}>
            {t('tour.back')}
          </button>
        )}
        <button type="button" class={status === 'done' ? 'tour-next' : 'secondary tour-next'} onClick={() => state.goTo(next)}>
          {next === 'end' ? t('tour.finish') : t('tour.next', { title: lessonTexts(next).title })}
        </button>
      </div>
    </section>
  );
}
