// Publishes with a Response Topic, and shows the answer or that there was none.

import { NumberField } from '../../components/field.tsx';
import { MessageFacts } from '../../components/message-facts.tsx';
import { Payload } from '../../components/payload.tsx';
import { number, t } from '../../i18n/index.ts';
import type { MqttErrorCode } from 'mqlite/broker';
import type { Reply } from '../../model/connection.ts';
import { problemText } from '../shell/problem-text.ts';
import { messagesState } from './messages-state.ts';
import type { PublishPartProps } from './publish-form.tsx';
import { publicationOf } from './publish-state.ts';

export function PublishAsk(props: PublishPartProps) {
  const { connection, state } = props;
  const { timeout, reply } = state;
  const isGood = timeout.value !== null && timeout.value >= 1 && timeout.value <= MOST_MILLIS;
  const isWaiting = reply.value === 'waiting';
  const ask = async () => {
    const publication = publicationOf(connection, state, state.count.value);
    if (!publication) return;
    state.count.value += 1;
    reply.value = 'waiting';
    reply.value = await connection.request(publication, timeout.value ?? MOST_MILLIS);
  };
  return (
    <>
      <p class="field-hint field-full">{t('ask.hint')}</p>
      <NumberField
        label={t('ask.timeout')}
        fault={isGood ? undefined : t('repeat.fault', { most: MOST_MILLIS })}
        value={timeout.value}
        onInput={(value) => (timeout.value = value)}
      />
      <button type="button" class="secondary" disabled={!isGood || isWaiting || connection.status.value !== 'connected'} onClick={() => void ask()}>
        {t('ask.ask')}
      </button>
      <div class="field-full reply" aria-live="polite">
        {isWaiting ? <p class="field-hint">{t('ask.waiting')}</p> : reply.value !== null && reply.value !== 'waiting' && <Answer {...props} reply={reply.value} />}
      </div>
    </>
  );
}

function Answer({ connection, state, reply }: PublishPartProps & { reply: Reply }) {
  const { format } = messagesState(connection);
  if ('error' in reply) return <p class="field-fault">{whyNot(reply.error, connection.profile.server, state.draft.value.topic, state.timeout.value)}</p>;
  const { answer, milliseconds } = reply;
  return (
    <div role="group" aria-label={t('ask.answer')}>
      <p class="field-hint">{t('ask.answered', { milliseconds: number(milliseconds) })}</p>
      <Payload
        payload={answer.payload}
        contentType={answer.properties.contentType}
        topic={answer.topic}
        choice={format.value}
        onChoice={(choice) => (format.value = choice)}
      />
      <MessageFacts message={answer} />
    </div>
  );
}

function whyNot(error: unknown, server: string, topic: string, timeout: number | null): string {
  const { code } = error as { code?: MqttErrorCode };
  if (code === 'timeout') return t('ask.late', { milliseconds: number(timeout ?? 0) });
  const { text, hints } = problemText({ during: 'request', subject: topic, error }, server);
  return [text, ...hints].join(' ');
}

/** Ten minutes. */
const MOST_MILLIS = 600_000;
