// What happened in a lesson: the packets as a diagram of sequences, and the messages that came.

import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { preview } from '../../model/formats.ts';
import { clientIdOf, type TourMessage, type TourRun } from '../../model/tour-run.ts';
import { layOut } from '../wire/lanes.ts';
import { TimelineRow } from '../wire/timeline-row.tsx';
import { Heads } from '../wire/timeline-heads.tsx';
import type { TourState } from './tour-state.ts';

export function Happening({ run, state }: { run: TourRun | null; state: TourState }) {
  return (
    <section class="panel tour-happening" aria-label={t('tour.packets')}>
      {run ? (
        <>
          <Diagram run={run} state={state} />
          <Messages run={run} />
          {run.status.value === 'done' && (
            <button type="button" class="quiet tour-wire" onClick={() => state.showWire(run)}>
              {t('tour.wire')}
            </button>
          )}
        </>
      ) : (
        <p class="muted tour-nothing">{t('tour.packets.none')}</p>
      )}
    </section>
  );
}

function Diagram({ run, state }: { run: TourRun; state: TourState }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      width.value = Math.floor(entry!.contentRect.width);
      entry!.target.scrollTop = entry!.target.scrollHeight; // what comes below takes some of its height
    });
    if (frame.current) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  if (run.status.value === 'running') state.workspace.wire.version.value; // drawn again when there is more
  const entries = run.entries();
  const lanes = layOut(run.parties.value, width.value);
  useLayoutEffect(() => {
    if (frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  }, [entries.length]);
  return (
    <div ref={frame} class="wire-frame wire-narrow tour-frame" tabIndex={0} role="group" aria-label={t('tour.packets')}>
      <div class="tour-wide" style={{ width: `${lanes.width}px` }}>
        <Heads lanes={lanes} />
        <ol class="tour-rows">
          {entries.map((entry) => (
            <li key={entry.number}>
              <TimelineRow entry={entry} lanes={lanes} />
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

function Messages({ run }: { run: TourRun }) {
  const messages = run.messages.value;
  if (messages.length === 0) return null;
  return (
    <>
      <h4>{t('tour.messages')}</h4>
      <ol class="tour-messages">
        {messages.map((entry, index) => (
          <li key={index}>
            <MessageLine {...entry} />
          </li>
        ))}
      </ol>
    </>
  );
}

function MessageLine({ to, message: { topic, payload, qos, retain, dup } }: TourMessage) {
  const { text, rest } = preview(payload);
  return (
    <>
      <code class="topic">{topic}</code>
      <span class="tour-payload">
        {payload.byteLength === 0 ? <span class="muted">{t('payload.empty')}</span> : <bdi>{text}</bdi>}
        {rest > 0 && <span class="muted"> {t('payload.more', { count: rest })}</span>}
      </span>
      <span class="badges">
        {dup && <span class="badge badge-dup">{t('messages.dup')}</span>}
        {retain && <span class="badge badge-retain">{t('messages.retain')}</span>}
        <span class="badge">{t('messages.qos', { qos })}</span>
      </span>
      <span class="muted tour-to">{t('tour.messages.to', { client: clientIdOf(to) })}</span>
    </>
  );
}
