// Every text of the page, in the reader's language. Knows no component.

import { computed, signal } from '@preact/signals';
import { keep, localStore, recall } from '../model/store.ts';
import { en } from './en.ts';

export type Locale = 'en' | 'zh';
export type TextKey = keyof typeof en;
export type Texts = Readonly<Record<TextKey, string>>;

/** The language that the page is in. */
export const locale = computed(() => current.value.locale);

/** Changes the language, and remembers it. */
export async function setLocale(wanted: Locale, isChosen = true): Promise<void> {
  const texts = wanted === 'zh' ? (await import('./zh.ts')).zh : en;
  current.value = { locale: wanted, texts };
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en';
  if (isChosen) keep(localStore(), NAME, wanted);
}

/** The language that the reader chose before, or that of the browser. */
export function preferredLocale(): Locale {
  const chosen = recall(localStore(), NAME);
  if (chosen === 'en' || chosen === 'zh') return chosen;
  const known = navigator.languages.find((language) => /^(en|zh)\b/i.test(language));
  return known?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/**
 * A text. `{name}` in it is the value of that name, numbers as the language writes them; `{name?one:other}` is the first if that
 * value is 1, else the second.
 */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return current.value.texts[key].replaceAll(PLACE, (_, name: string, one?: string, other?: string) => {
    const value = values[name] ?? '';
    if (one !== undefined) return (value === 1 ? one : other) ?? '';
    return typeof value === 'number' ? number(value) : value;
  });
}

/** A number as the language writes it. */
export function number(value: number, options?: Intl.NumberFormatOptions): string {
  const name = `${locale.value}${options ? JSON.stringify(options) : ''}`;
  let format = formats.get(name);
  if (!format) formats.set(name, (format = new Intl.NumberFormat(locale.value, options)));
  return format.format(value);
}

const formats = new Map<string, Intl.NumberFormat>();
const current = signal<{ locale: Locale; texts: Texts }>({ locale: 'en', texts: en });

const PLACE = /\{(\w+)(?:\?([^:{}]*):([^{}]*))?\}/g;
const NAME = 'locale';
