// A payload in the format that the reader chose. What is not shown is named, with a way to see it.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { number, t } from '../i18n/index.ts';
import { type Format, FORMATS, type Formatter, formatter, guess, type Shown } from '../model/formats.ts';
import '../style/payload.css';
import { CopyButton } from './copy-button.tsx';
import { Difference } from './difference.tsx';
import { fileName, save } from './save.ts';
import { size } from './size.ts';

/** `auto`: what each payload most likely is. */
export type FormatChoice = Format | 'auto';

interface PayloadProps {
  readonly payload: Uint8Array;
  readonly contentType?: string | undefined;
  /** What names a file of it. */
  readonly topic: string;
  readonly choice: FormatChoice;
  readonly onChoice: (choice: FormatChoice) => void;
  /** The one before: then the difference can be seen. */
  readonly previous?: Uint8Array | undefined;
}

export function Payload({ payload, contentType, topic, choice, onChoice, previous }: PayloadProps) {
  const format = useFormat(payload, contentType, choice);
  const known = useFormatter(format);
  const isDifference = useSignal(false);
  const canDiffer = previous !== undefined;
  // A large one takes long to read, and all is drawn again whenever a message comes.
  const shown = useMemo(() => (typeof known === 'object' ? known.show(payload) : null), [payload, known]);
  const before = useMemo(
    () => (isDifference.value && previous !== undefined && typeof known === 'object' ? known.show(previous) : null),
    [isDifference.value, previous, known],
  );
  return (
    <div class="payload-view">
      <div class="payload-tools">
        <label class="payload-format">
          <span class="visually-hidden">{t('payload.format')}</span>
          <select value={choice} onChange={({ currentTarget: { selectedIndex } }) => onChoice(CHOICES[selectedIndex] ?? 'auto')}>
            {CHOICES.map((each) => (
              <option key={each} value={each}>
                {each === 'auto' ? t('payload.auto', { format: t(`payload.${format}`) }) : t(`payload.${each}`)}
              </option>
            ))}
          </select>
        </label>
        <span class="muted">{size(payload.byteLength)}</span>
        <span class="payload-actions">
          {canDiffer && (
            <button
              type="button"
              class="toggle"
              aria-pressed={isDifference.value}
              onClick={() => (isDifference.value = !isDifference.value)}
            >
              {t('payload.difference')}
            </button>
          )}
          <CopyButton label={t('payload.copy')} text={() => shown?.text ?? ''} />
          <button type="button" class="quiet" onClick={() => saved(payload, topic, shown)}>
            {t('payload.save')}
          </button>
        </span>
      </div>
      {known === 'loading' && <p class="muted">{t('payload.loading')}</p>}
      {known === 'failed' && <p class="muted">{t('payload.failed')}</p>}
      {shown?.refused && <p class="muted">{t('payload.refused', { format: t(`payload.${shown.refused}`), shown: t(`payload.${shown.format}`) })}</p>}
      {shown && !shown.isWhole && <p class="muted">{t('payload.notUtf8')}</p>}
      {shown && (before ? <Difference before={before.text} after={shown.text} /> : <Text text={shown.text} />)}
    </div>
  );
}

/** A text of any length: a long one begins with a part, and says so. */
function Text({ text }: { text: string }) {
  const isAll = useSignal(false);
  if (text === '') return <p class="muted">{t('payload.empty')}</p>;
  const isCut = !isAll.value && text.length > SHOWN;
  return (
    <>
      <pre class="payload-text" tabIndex={0}>
        {isCut ? text.slice(0, SHOWN) : text}
      </pre>
      {isCut && (
        <p class="payload-rest">
          <span>{t('payload.rest', { count: text.length - SHOWN, all: number(text.length) })}</span>
          <button type="button" class="secondary" onClick={() => (isAll.value = true)}>
            {t('payload.showAll')}
          </button>
        </p>
      )}
    </>
  );
}

/** The chosen format, or what the payload most likely is. */
export function useFormat(payload: Uint8Array, contentType: string | undefined, choice: FormatChoice): Format {
  return useMemo(() => (choice === 'auto' ? guess(payload, contentType) : choice), [payload, contentType, choice]);
}

/** What knows the format, as soon as it is loaded. */
export function useFormatter(format: Format): Formatter | 'loading' | 'failed' {
  const now = formatter(format);
  const later = useSignal<Formatter | 'failed' | null>(null);
  useEffect(() => {
    if (!(now instanceof Promise)) return;
    let isGone = false;
    later.value = null;
    now.then(
      (made) => isGone || (later.value = made),
      () => isGone || (later.value = 'failed'),
    );
    return () => {
      isGone = true;
    };
  }, [format]);
  return now instanceof Promise ? (later.value ?? 'loading') : now;
}

/** A file of the bytes themselves, not of how they are shown. */
function saved(payload: Uint8Array, topic: string, shown: Shown | null): void {
  const ending = ENDINGS[shown?.format ?? 'hex'] ?? 'bin';
  save(fileName(topic, ending), [payload as Uint8Array<ArrayBuffer>], 'application/octet-stream');
}

const CHOICES: readonly FormatChoice[] = ['auto', ...FORMATS];
const ENDINGS: Partial<Record<Format, string>> = { text: 'txt', json: 'json', cbor: 'cbor', messagepack: 'msgpack' };

/** Characters that are drawn at first: more of them make a page slow. */
const SHOWN = 50_000;
