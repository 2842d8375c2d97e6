// What went wrong with a connection, over the view that shows it.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Notice } from '../../components/notice.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { problemText } from './problem-text.ts';

export function ConnectionProblem({ connection }: { connection: Connection }) {
  const problem = connection.problem.value;
  if (!problem) return null;
  const { text, hints } = problemText(problem, connection.profile.server);
  return (
    <Notice text={text} hints={hints} onDismiss={() => (connection.problem.value = null)}>
      {connection.retryAt.value !== null && <Countdown until={connection.retryAt.value} />}
    </Notice>
  );
}

/** Seconds until the next attempt, for those who see: to hear each would be too much. */
function Countdown({ until }: { until: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return <p aria-live="off">{t('problem.retry', { seconds: Math.max(0, Math.ceil((until - now.value) / 1_000)) })}</p>;
}
