import { useLayoutEffect, useRef } from 'preact/hooks';
import { LOG_LIMIT, type LogEntry, type MessageLog as Log } from '../state/log.js';
import { count, payloadText, timeOfDay } from '../text.js';

/** What a client sent and received, newest at the end and in sight unless the reader scrolled away. */
export function MessageLog({ log, owner }: { log: Log; owner: string }) {
  const entries = log.entries.value;
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(true);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && following.current) element.scrollTop = element.scrollHeight;
  }, [entries]);

  return (
    <section class="part log">
      <header class="log-head">
        <h3>Messages</h3>
        <span class="muted">{entries.length > 0 && count(entries.length, 'message')}</span>
        <button type="button" class="quiet" disabled={entries.length === 0} onClick={() => log.clear()}>
          Clear
        </button>
      </header>
      <div
        ref={scroller}
        class="log-body"
        role="log"
        aria-label={`Messages of ${owner}`}
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          following.current = at.scrollHeight - at.scrollTop - at.clientHeight < 8;
        }}
      >
        {log.forgotten.value > 0 && (
          <p class="muted">
            Only the latest {LOG_LIMIT} are kept: {count(log.forgotten.value, 'older message')} cut.
          </p>
        )}
        {entries.length === 0 && <p class="muted">Subscribe here, publish from either client, and messages appear.</p>}
        <ol>
          {entries.map((entry) => (
            <Entry key={entry.number} entry={entry} />
          ))}
        </ol>
      </div>
    </section>
  );
}

function Entry({ entry }: { entry: LogEntry }) {
  return (
    <li class={`entry entry-${entry.direction}`}>
      <span class="entry-head">
        <time dateTime={new Date(entry.time).toISOString()}>{timeOfDay(entry.time)}</time>
        <span class="direction">{entry.direction}</span>
        <span class="badge">QoS {entry.qos}</span>
        {entry.retain && <span class="badge badge-retain">retain</span>}
        <code class="topic">{entry.topic}</code>
      </span>
      <pre class="payload">{payloadText(entry.payload)}</pre>
    </li>
  );
}
