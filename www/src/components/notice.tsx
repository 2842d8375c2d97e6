// What went wrong, in words, with what may help and a way to put it away.

import type { ComponentChildren } from 'preact';
import { t } from '../i18n/index.ts';
import { Icon } from './icon.tsx';

export interface NoticeProps {
  readonly text: string;
  readonly hints?: readonly string[];
  readonly onDismiss?: () => void;
  readonly children?: ComponentChildren;
}

export function Notice({ text, hints = [], onDismiss, children }: NoticeProps) {
  return (
    <div class="notice" role="alert">
      <div class="notice-text">
        <strong>{text}</strong>
        {hints.map((hint) => (
          <p key={hint}>{hint}</p>
        ))}
        {children}
      </div>
      {onDismiss && (
        <button type="button" class="icon-button" aria-label={t('shell.dismiss')} title={t('shell.dismiss')} onClick={onDismiss}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
