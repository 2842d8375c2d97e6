// A component that is loaded when it is first needed, with a way to try again.

import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { Notice } from './notice.tsx';

/** Gives each `load` its own component: use it at the top of a module. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;

  return function Lazy(props: P) {
    const Loaded = useSignal<ComponentType<P> | null>(loaded);
    const attempts = useSignal(0);
    const isFailed = useSignal(false);
    useEffect(() => {
      isFailed.value = false;
      load().then(
        (component) => (Loaded.value = loaded = component),
        () => (isFailed.value = true),
      );
    }, [attempts.value]);

    if (Loaded.value) return <Loaded.value {...props} />;
    if (!isFailed.value) return <p class="muted placeholder">{t('shell.loading')}</p>;
    return (
      <Notice text={t('shell.loadFailed')}>
        <button type="button" class="secondary" onClick={() => (attempts.value += 1)}>
          {t('shell.tryAgain')}
        </button>
      </Notice>
    );
  };
}
