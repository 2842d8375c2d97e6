// One row of the diagram: an arrow between a client and its server, or what happened to their connection.

import type { WireEntry, WireNote, WirePacket } from '../../model/wire-log.ts';
import type { Lanes } from './lanes.ts';
import { entryText, fateText, packetDetails, packetLabel, timeText } from './packet-texts.ts';
import { t } from '../../i18n/index.ts';

/** Pixels. */
export const ROW_HEIGHT = 38;

export function TimelineRow({ entry, lanes }: { entry: WireEntry; lanes: Lanes }) {
  const place = lanes.places.get(entry.party.number);
  return (
    <>
      <span class="wire-time" aria-hidden="true">
        {timeText(entry.time)}
      </span>
      <span class="visually-hidden">{entryText(entry)}</span>
      <span class={`wire-track hue-${entry.party.number % 8}`} aria-hidden="true" style={{ width: `${lanes.width}px` }}>
        <svg width={lanes.width} height={ROW_HEIGHT}>
          {lanes.lanes.map(({ x, party }) => (
            <line key={x} class={party ? 'lifeline' : 'lifeline lifeline-server'} x1={x} x2={x} y1={0} y2={ROW_HEIGHT} />
          ))}
          {place && entry.kind === 'packet' && <Arrow packet={entry} {...place} />}
          {place && entry.kind !== 'packet' && <circle class={`mark mark-${entry.kind}`} cx={place.client} cy={ROW_HEIGHT / 2} r={4} />}
        </svg>
        {place && (entry.kind === 'packet' ? <PacketLabel packet={entry} {...place} /> : <NoteLabel note={entry} lanes={lanes} client={place.client} />)}
      </span>
    </>
  );
}

interface Ends {
  readonly client: number;
  readonly server: number;
}

function Arrow({ packet: { direction, fate }, client, server }: Ends & { packet: WirePacket }) {
  const [from, to] = direction === 'sent' ? [client, server] : [server, client];
  const way = Math.sign(to - from);
  const isLost = fate?.kind === 'dropped' || fate?.kind === 'cut';
  const end = isLost ? from + (to - from) * 0.72 : to - way * 2;
  const y = LINE;
  const endY = fate && fate.delay > 0 ? LINE + SLANT : LINE;
  return (
    <g class={isLost ? 'arrow arrow-lost' : 'arrow'}>
      <line x1={from} y1={y} x2={end} y2={endY} />
      {isLost ? (
        <path d={`M${end - 5} ${y - 5}l10 10m0 -10l-10 10`} />
      ) : (
        <path class="arrow-head" d={`M${end} ${endY}l${-way * 8} -4v8z`} />
      )}
      {fate?.kind === 'duplicated' && <path class="arrow-head" d={`M${end - way * 10} ${endY}l${-way * 8} -4v8z`} />}
      <circle class="arrow-tail" cx={from} cy={y} r={2.5} />
    </g>
  );
}

function PacketLabel({ packet, client, server }: Ends & { packet: WirePacket }) {
  const [left, width] = [Math.min(client, server), Math.abs(client - server)];
  const fate = fateText(packet);
  return (
    <span class="wire-label" style={{ left: `${left + 8}px`, width: `${width - 16}px` }}>
      <b>{packetLabel(packet)}</b>
      {fate && <em class={`fate fate-${packet.fate?.kind}`}>{fate}</em>}
      <span class="wire-details">{packetDetails(packet)}</span>
    </span>
  );
}

function NoteLabel({ note, lanes, client }: { note: WireNote; lanes: Lanes; client: number }) {
  const isRight = client > lanes.width / 2;
  const style = isRight ? { right: `${lanes.width - client + 10}px` } : { left: `${client + 10}px` };
  return (
    <span class={`wire-note wire-note-${note.kind}`} style={style}>
      {t(`wire.mark.${note.kind}`)}
    </span>
  );
}

/** Where the arrow is in its row, and how far it falls when it is slow. */
const LINE = 25;
const SLANT = 7;
