// Deletes what the broker keeps below a topic: first it shows what that is, afterwards it can put it back, also what may be deleted
// although nobody said so.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CheckField } from '../../components/field.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { number, t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { preview } from '../../model/formats.ts';
import type { LoggedMessage } from '../../model/message.ts';
import { deleteRetained, type Outcome, type Publish, putBack, type RetainedMessages } from '../../model/retained.ts';

type Step =
  | { at: 'looking' | 'failed' }
  | { at: 'found'; found: RetainedMessages }
  | { at: 'working'; stop: () => void }
  | Finished;

interface Finished {
  readonly at: 'deleted' | 'restored';
  readonly outcome: Outcome;
}

export function DeleteRetained({ connection, topic, onClose }: { connection: Connection; topic: string; onClose: () => void }) {
  const isRecursive = useSignal(true);
  const step = useSignal<Step>({ at: 'looking' });
  useEffect(() => {
    let isGone = false;
    step.value = { at: 'looking' };
    void connection.retained(isRecursive.value ? `${topic}/#` : topic).then((found) => {
      if (!isGone) step.value = found ? { at: 'found', found } : { at: 'failed' };
    });
    return () => {
      isGone = true;
    };
  }, [isRecursive.value, topic]);

  return (
    <Dialog title={t('retained.title')} onClose={leave}>
      <p class="dialog-text">
        <code>
          <bdi>{topic}</bdi>
        </code>
      </p>
      {(step.value.at === 'looking' || step.value.at === 'found') && (
        <CheckField label={t('retained.recursive')} value={isRecursive.value} onInput={(value) => (isRecursive.value = value)} />
      )}
      <div role="status">{said(step.value)}</div>
      {step.value.at === 'found' && <Preview messages={step.value.found.messages} />}
      {'outcome' in step.value && step.value.outcome.refused.length > 0 && <Preview messages={step.value.outcome.refused} />}
      <footer class="dialog-actions">
        {step.value.at === 'found' && step.value.found.messages.length > 0 && (
          <button type="button" class="destructive" onClick={() => void remove((step.value as { found: RetainedMessages }).found.messages)}>
            {t('retained.deleteThem', { count: step.value.found.messages.length })}
          </button>
        )}
        {step.value.at === 'deleted' && (
          <button type="button" onClick={() => void restore((step.value as Finished).outcome)}>
            {t('retained.undo')}
          </button>
        )}
        {step.value.at === 'restored' && step.value.outcome.refused.length > 0 && (
          <button type="button" onClick={() => void restore((step.value as Finished).outcome)}>
            {t('retained.again')}
          </button>
        )}
        <button type="button" class="secondary" onClick={leave}>
          {t(step.value.at === 'working' ? 'retained.stop' : 'dialog.close')}
        </button>
      </footer>
    </Dialog>
  );

  /** Closes it; while something is under way that is ended first, and what became of it is shown. */
  function leave(): void {
    if (step.value.at === 'working') step.value.stop();
    else onClose();
  }

  /** What publishes until it is stopped. */
  function working(): Publish {
    const stop = new AbortController();
    step.value = { at: 'working', stop: () => stop.abort() };
    return (publication) => connection.publish({ ...publication, signal: stop.signal });
  }

  async function remove(messages: readonly LoggedMessage[]): Promise<void> {
    const outcome = await deleteRetained(working(), messages, connection.acknowledgedQos);
    for (const { topic: gone } of outcome.done) connection.topics.retain(gone, false);
    step.value = { at: 'deleted', outcome };
  }

  /** Puts back what was deleted, or what an earlier attempt left. */
  async function restore(earlier: Outcome): Promise<void> {
    const isFirst = step.value.at === 'deleted';
    // The broker may have deleted what it did not confirm.
    const messages = isFirst ? [...earlier.done, ...earlier.refused] : earlier.refused;
    const publish = working();
    await connection.connect(); // where the connection was lost and does not come back by itself
    const { done, refused } = await putBack(publish, messages);
    for (const { topic: back } of done) connection.topics.retain(back, true);
    step.value = { at: 'restored', outcome: { done: isFirst ? done : [...earlier.done, ...done], refused } };
  }
}

function said(step: Step) {
  switch (step.at) {
    case 'looking':
    case 'failed':
    case 'working':
      return <p>{t(`retained.${step.at}`)}</p>;
    case 'found':
      return (
        <p>
          {step.found.messages.length === 0 ? t('retained.none') : t('retained.found', { count: step.found.messages.length })}
          {!step.found.isWhole && ` ${t('retained.tooMany')}`}
        </p>
      );
    default:
      return (
        <>
          <p>{t(`retained.${step.at}`, { count: step.outcome.done.length })}</p>
          {step.outcome.refused.length > 0 && <p class="danger">{t('retained.refused', { count: step.outcome.refused.length })}</p>}
        </>
      );
  }
}

/** The first of what is meant, and how many more there are. */
function Preview({ messages }: { messages: readonly LoggedMessage[] }) {
  if (messages.length === 0) return null;
  return (
    <ul class="retained-list" tabIndex={0} aria-label={t('retained.list')}>
      {messages.slice(0, LISTED).map(({ topic, payload }) => {
        const { text, rest } = preview(payload, 80);
        return (
          <li key={topic}>
            <code>
              <bdi>{topic}</bdi>
            </code>
            <span class="muted">
              <bdi>{text}</bdi> {rest > 0 && t('payload.more', { count: rest })}
            </span>
          </li>
        );
      })}
      {messages.length > LISTED && <li class="muted">{t('retained.more', { count: number(messages.length - LISTED) })}</li>}
    </ul>
  );
}

const LISTED = 200;
