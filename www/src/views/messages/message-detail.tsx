// The message that was chosen in the list, whole.

import { CopyButton } from '../../components/copy-button.tsx';
import { Icon } from '../../components/icon.tsx';
import { MessageFacts } from '../../components/message-facts.tsx';
import { Payload } from '../../components/payload.tsx';
import { t } from '../../i18n/index.ts';
import type { LoggedMessage } from '../../model/message.ts';
import type { MessagesState } from './messages-state.ts';

interface DetailProps {
  /** `undefined` when it has left the ring. */
  readonly message: LoggedMessage | undefined;
  readonly state: MessagesState;
  readonly onClose: () => void;
}

export function MessageDetail({ message, state, onClose }: DetailProps) {
  return (
    <div class="message-detail" role="group" aria-label={t('messages.detail')}>
      <header class="topic-head">
        <h3 class="topic-title">{message && <bdi>{message.topic}</bdi>}</h3>
        <span class="topic-actions">
          {message && <CopyButton label={t('topics.copyTopic')} text={() => message.topic} />}
          <button type="button" class="icon-button" aria-label={t('messages.closeDetail')} onClick={onClose}>
            <Icon name="close" />
          </button>
        </span>
      </header>
      {message ? (
        <>
          <Payload
            payload={message.payload}
            contentType={message.properties.contentType}
            topic={message.topic}
            choice={state.format.value}
            onChoice={(choice) => (state.format.value = choice)}
          />
          <MessageFacts message={message} />
        </>
      ) : (
        <p class="muted">{t('messages.gone')}</p>
      )}
    </div>
  );
}
