// What a connection received and sent, the newest last and in sight unless the reader scrolled away.

import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { locale, t } from '../../i18n/index.ts';
import type { Connection, Subscription } from '../../model/connection.ts';
import type { LoggedMessage } from '../../model/message.ts';
import { matchesFilter } from '../../model/find.ts';
import { connectionName } from '../shell/connection-name.ts';

export function MessageList({ connection }: { connection: Connection }) {
  const ring = connection.messages;
  const search = useSignal('');
  /** How many there had been when the reader paused. */
  const pausedAt = useSignal<number | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const version = ring.version.value;
  const all = ring.forgotten + ring.length;
  const end = Math.min(ring.length, (pausedAt.value ?? all) - ring.forgotten);
  const shown = latest(connection, end, search.value);

  useLayoutEffect(() => {
    const { current: element } = scroller;
    if (element && isFollowing.current) element.scrollTop = element.scrollHeight;
  }, [version, search.value, pausedAt.value]);

  return (
    <div class="panel messages">
      <div class="toolbar">
        <h2 class="panel-title">{t('messages.title')}</h2>
        <span class="muted">{t('messages.count', { count: all })}</span>
        <div class="toolbar-search">
          <TextField
            label={t('messages.search')}
            type="search"
            width="full"
            placeholder={t('messages.search')}
            value={search.value}
            onInput={(text) => (search.value = text)}
          />
        </div>
        <button
          type="button"
          class="toggle"
          aria-pressed={pausedAt.value !== null}
          onClick={() => (pausedAt.value = pausedAt.value === null ? all : null)}
        >
          <Icon name={pausedAt.value === null ? 'pause' : 'play'} />
          {t(pausedAt.value === null ? 'messages.pause' : 'messages.resume')}
        </button>
        <button
          type="button"
          class="quiet"
          disabled={all === 0}
          onClick={() => {
            ring.clear();
            pausedAt.value = null;
          }}
        >
          {t('messages.clear')}
        </button>
      </div>
      {pausedAt.value !== null && <p class="muted">{t('messages.paused', { count: all - pausedAt.value })}</p>}
      {ring.forgotten > 0 && <p class="muted">{t('messages.forgotten', { count: ring.forgotten })}</p>}
      <div
        ref={scroller}
        class="messages-body"
        role="log"
        aria-live="off"
        aria-label={t('messages.of', { name: connectionName(connection) })}
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          isFollowing.current = at.scrollHeight - at.scrollTop - at.clientHeight < 8;
        }}
      >
        {shown.isCut && <p class="muted">{t('messages.left', { count: shown.rows.length })}</p>}
        {shown.rows.length === 0 && (
          <p class="muted empty">{search.value === '' ? t('messages.empty') : t('messages.noMatch', { text: search.value })}</p>
        )}
        <ol>
          {shown.rows.map(({ key, message, subscription }) => (
            <Row key={key} message={message} subscription={subscription} />
          ))}
        </ol>
      </div>
    </div>
  );
}

function Row({ message, subscription }: { message: LoggedMessage; subscription: Subscription | undefined }) {
  const { time, direction, topic, payload, qos, retain, dup } = message;
  return (
    <li class={`entry entry-${direction} ${subscription ? `hue-${subscription.colour}` : ''}`}>
      <time dateTime={new Date(time).toISOString()}>{timeOfDay(time)}</time>
      <span class="direction">{t(`messages.${direction}`)}</span>
      <code class="topic">{topic}</code>
      <span class="badges">
        <span class="badge">{t('messages.qos', { qos })}</span>
        {retain && <span class="badge badge-retain">{t('messages.retain')}</span>}
        {dup && <span class="badge badge-dup">{t('messages.dup')}</span>}
      </span>
      <pre class="payload">{payloadText(payload)}</pre>
    </li>
  );
}

interface RowEntry {
  readonly key: number;
  readonly message: LoggedMessage;
  readonly subscription: Subscription | undefined;
}

/** The latest that match, oldest first. */
function latest(connection: Connection, end: number, search: string): { rows: RowEntry[]; isCut: boolean } {
  const ring = connection.messages;
  const wanted = search.toLowerCase();
  const rows: RowEntry[] = [];
  let index = end - 1;
  for (; index >= 0 && rows.length < SHOWN; index -= 1) {
    const message = ring.at(index);
    if (!message || (wanted !== '' && !contains(message, wanted))) continue;
    const subscription = connection.subscriptions.value.find(({ filter }) => matchesFilter(filter, message.topic));
    rows.push({ key: ring.forgotten + index, message, subscription });
  }
  return { rows: rows.reverse(), isCut: index >= 0 };
}

function contains({ topic, payload }: LoggedMessage, wanted: string): boolean {
  return topic.toLowerCase().includes(wanted) || new TextDecoder().decode(payload).toLowerCase().includes(wanted);
}

/** The time of day to the millisecond, on the reader's clock. */
function timeOfDay(time: number): string {
  return new Intl.DateTimeFormat(locale.value, TIME).format(time);
}

/** Text if it is UTF-8, else bytes in hexadecimal. Says so when it is cut or empty. */
function payloadText(payload: Uint8Array): string {
  if (payload.length === 0) return t('messages.emptyPayload');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    return text.length <= CHARACTERS ? text : `${text.slice(0, CHARACTERS)}${t('messages.cut', { count: text.length })}`;
  } catch {
    const shown = payload.subarray(0, CHARACTERS / 4);
    const bytes = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return shown.length < payload.length ? `${bytes} ${t('messages.bytes', { count: payload.length })}` : bytes;
  }
}

const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' } as const;

/** Messages that are drawn at a time. */
const SHOWN = 200;

/** Characters of a payload that are shown. */
const CHARACTERS = 2_000;
