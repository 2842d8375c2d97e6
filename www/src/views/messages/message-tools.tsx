// Search, pause, export and clear.

import { useSignal } from '@preact/signals';
import { ChoiceField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { fileName, save } from '../../components/save.ts';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { type ExportFormat, exported } from '../../model/export.ts';
import type { LoggedMessage } from '../../model/message.ts';
import type { MessageRing } from '../../model/message-ring.ts';
import { connectionName } from '../shell/connection-name.ts';
import type { Numbers } from './message-list.tsx';
import { ask, type MessagesState } from './messages-state.ts';

interface ToolsProps {
  readonly connection: Connection;
  readonly state: MessagesState;
  readonly numbers: Numbers;
}

export function MessageTools({ connection, state, numbers }: ToolsProps) {
  const ring = connection.messages;
  const { pausedAt, query } = state;
  const all = ring.forgotten + ring.length;
  const isPaused = pausedAt.value !== null;
  return (
    <div class="toolbar messages-tools">
      <h2 class="panel-title">{t('messages.title')}</h2>
      <span class="muted messages-count">{t('messages.count', { count: all })}</span>
      <div class="toolbar-search">
        <TextField
          label={t('messages.search')}
          type="search"
          width="full"
          placeholder={t('messages.search')}
          value={query.value.text}
          onInput={(text) => ask(connection, state, { text })}
        />
      </div>
      <div class="toolbar-choice">
        <ChoiceField<Direction>
          label={t('messages.direction')}
          value={query.value.direction ?? 'both'}
          choices={[
            ['both', t('messages.both')],
            ['received', t('messages.onlyReceived')],
            ['sent', t('messages.onlySent')],
          ]}
          onInput={(direction) => ask(connection, state, { direction: direction === 'both' ? undefined : direction })}
        />
      </div>
      <button type="button" class="toggle" aria-pressed={isPaused} onClick={() => (pausedAt.value = isPaused ? null : all)}>
        <Icon name={isPaused ? 'play' : 'pause'} />
        {t(isPaused ? 'messages.resume' : 'messages.pause')}
      </button>
      <Export connection={connection} numbers={numbers} />
      <button type="button" class="quiet" disabled={all === 0} onClick={clear}>
        {t('messages.clear')}
      </button>
    </div>
  );

  function clear(): void {
    ring.clear();
    pausedAt.value = null;
    state.chosen.value = null;
    state.isFollowing.value = true;
  }
}

function Export({ connection, numbers }: { connection: Connection; numbers: Numbers }) {
  const isBusy = useSignal(false);
  const begin = async (format: ExportFormat): Promise<void> => {
    isBusy.value = true;
    const parts = await collected(listed(connection.messages, numbers), format);
    save(fileName(connectionName(connection), format), parts, format === 'csv' ? 'text/csv' : 'application/x-ndjson');
    isBusy.value = false;
  };
  return (
    <span class="messages-export" role="group" aria-label={t('messages.export')}>
      <Icon name="export" />
      {(['csv', 'ndjson'] as const).map((format) => (
        <button
          key={format}
          type="button"
          class="quiet"
          disabled={isBusy.value || numbers.count === 0}
          title={t('messages.exportAs', { format: format.toUpperCase(), count: numbers.count })}
          onClick={() => void begin(format)}
        >
          {format.toUpperCase()}
        </button>
      ))}
    </span>
  );
}

/** The messages that are listed now: what comes meanwhile is not among them, and what leaves the ring meanwhile is. */
function listed(ring: MessageRing, { first, count, at }: Numbers): LoggedMessage[] {
  return Array.from({ length: count }, (_, index) => ring.numbered(at(index) ?? first)).filter((message) => message !== undefined);
}

/** All parts of a file; the page is drawn between them. */
async function collected(messages: Iterable<LoggedMessage>, format: ExportFormat): Promise<string[]> {
  const parts: string[] = [];
  for (const part of exported(messages, format)) {
    parts.push(part);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return parts;
}

type Direction = 'both' | LoggedMessage['direction'];
