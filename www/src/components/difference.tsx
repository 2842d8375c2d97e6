// What is different between two texts, line by line. The library that finds it is loaded when it is first looked for.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { number, t } from '../i18n/index.ts';

interface Change {
  readonly added?: boolean;
  readonly removed?: boolean;
  readonly value: string;
}

export function Difference({ before, after }: { before: string; after: string }) {
  const changes = useSignal<readonly Change[] | 'failed' | 'large' | null>(null);
  useEffect(() => {
    let isGone = false;
    if (before.length + after.length > LARGEST) changes.value = 'large';
    else
      differences(before, after).then(
        (found) => isGone || (changes.value = found ?? 'large'),
        () => isGone || (changes.value = 'failed'),
      );
    return () => {
      isGone = true;
    };
  }, [before, after]);

  if (changes.value === null) return null;
  if (changes.value === 'failed' || changes.value === 'large') return <p class="muted">{t(`difference.${changes.value}`)}</p>;
  return (
    <>
      <p class="muted">{said(before, after)}</p>
      <pre class="payload-text difference" tabIndex={0}>
        {changes.value.map(({ added, removed, value }, index) =>
          added ? <ins key={index}>{value}</ins> : removed ? <del key={index}>{value}</del> : <span key={index}>{value}</span>,
        )}
      </pre>
    </>
  );
}

/** How far a number moved; of other texts, whether they are the same. */
function said(before: string, after: string): string {
  if (before === after) return t('difference.none');
  const by = Number(after) - Number(before);
  if (before.trim() === '' || after.trim() === '' || !Number.isFinite(by)) return t('difference.some');
  return t('difference.number', { by: number(by, { maximumSignificantDigits: 6, signDisplay: 'exceptZero' }) });
}

async function differences(before: string, after: string): Promise<readonly Change[] | undefined> {
  const { diffLines, diffWords } = await import('diff');
  const isOneLine = !before.includes('\n') && !after.includes('\n');
  return isOneLine ? diffWords(before, after, { timeout: PATIENCE }) : diffLines(before, after, { timeout: PATIENCE });
}

/** Milliseconds after which two texts are too different. */
const PATIENCE = 50;
/** Characters of both together. */
const LARGEST = 400_000;
