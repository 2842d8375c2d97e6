// What the tour says, in the reader's language, with code set as code.

import { Fragment } from 'preact';
import { locale, number } from '../../i18n/index.ts';
import { type LessonTexts, tourTexts as en } from '../../i18n/en/tour-texts.ts';
import { tourTexts as zh } from '../../i18n/zh/tour-texts.ts';
import type { Facts } from '../../model/tour-lessons.ts';
import type { LessonName } from '../../model/tour-progress.ts';

export function lessonTexts(name: LessonName): LessonTexts {
  return (locale.value === 'zh' ? zh : en).lessons[name];
}

/** A text with the facts in it. */
export function Words({ text, facts = {} }: { text: string; facts?: Facts }) {
  const filled = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = facts[name] ?? '';
    return typeof value === 'number' ? number(value) : value;
  });
  return (
    <>
      {filled.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>))}
    </>
  );
}
