// What stands behind the last lesson: where to go from here.

import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from '../../components/icon.tsx';
import { type TextKey, t } from '../../i18n/index.ts';
import { newProfile } from '../../model/profile.ts';
import type { View } from '../../model/workspace.ts';
import type { TourState } from './tour-state.ts';

export function End({ state: { workspace } }: { state: TourState }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <article class="panel tour-end" aria-label={t('tour.end')}>
      <h3 ref={heading} tabIndex={-1}>
        {t('tour.end')}
      </h3>
      <p class="tour-words">{t('tour.end.text')}</p>
      <ul class="tour-exits">
        {EXITS.map(([view, text]) => (
          <Exit key={view} icon={view} text={text} onClick={() => (workspace.view.value = view)} />
        ))}
        <Exit icon="add" text="tour.end.connect" onClick={() => (workspace.draft.value = { profile: newProfile(), connection: null })} />
      </ul>
    </article>
  );
}

function Exit({ icon, text, onClick }: { icon: IconName; text: TextKey; onClick: () => void }) {
  return (
    <li>
      <button type="button" class="secondary" onClick={onClick}>
        <Icon name={icon} />
        <span>{t(text)}</span>
      </button>
    </li>
  );
}

const EXITS: readonly (readonly [View, TextKey])[] = [
  ['messages', 'tour.end.messages'],
  ['topics', 'tour.end.topics'],
  ['wire', 'tour.end.wire'],
  ['broker', 'tour.end.broker'],
];
