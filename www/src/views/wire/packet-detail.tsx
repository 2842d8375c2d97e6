// A packet field by field beside its bytes: who points at one sees the other, and the rule of the standard that it obeys.

import { useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { t } from '../../i18n/index.ts';
import { decodePacket, fieldAt, type PacketField, type PacketFields } from '../../model/packet-fields.ts';
import { ruleId } from '../../model/packet-rules.ts';
import type { WireEntry, WirePacket } from '../../model/wire-log.ts';
import { FieldTree, hasSecret } from './field-tree.tsx';
import { PacketBytes } from './packet-bytes.tsx';
import { brokerName, entryText, fateText, packetLabel, packetTexts, partyName, timeText } from './packet-texts.ts';

export function PacketDetail({ entry }: { entry: WireEntry | null }) {
  return (
    <section class="panel wire-detail" aria-label={t('wire.detail')}>
      {entry === null ? (
        <p class="muted wire-empty">{t('wire.choosePacket')}</p>
      ) : entry.kind === 'packet' ? (
        <Packet key={entry.number} packet={entry} />
      ) : (
        <p class="wire-empty">{entryText(entry)}</p>
      )}
    </section>
  );
}

function Packet({ packet }: { packet: WirePacket }) {
  const decoded = useMemo(() => decodePacket(packet.bytes, packet.version, packet.length), [packet]);
  const lit = useSignal<PacketField | null>(null);
  const isRevealed = useSignal(false);
  const field = lit.value;
  return (
    <>
      <Head packet={packet} decoded={decoded}>
        {hasSecret(decoded.fields) && (
          <button type="button" class="toggle" aria-pressed={isRevealed.value} onClick={() => (isRevealed.value = !isRevealed.value)}>
            {t('wire.reveal')}
          </button>
        )}
      </Head>
      <div class="wire-split">
        <FieldTree decoded={decoded} lit={field} isRevealed={isRevealed.value} onLit={(next) => (lit.value = next)} />
        <div class="wire-aside">
          <PacketBytes
            packet={packet}
            fields={decoded.fields}
            lit={field}
            isRevealed={isRevealed.value}
            onLit={(at) => (lit.value = at === null ? null : (fieldAt(decoded.fields, at) ?? null))}
          />
          <Rule field={field} decoded={decoded} />
        </div>
      </div>
    </>
  );
}

function Head({ packet, decoded, children }: { packet: WirePacket; decoded: PacketFields; children: preact.ComponentChildren }) {
  const [client, server] = [partyName(packet.party), brokerName(packet.party.server)];
  const way = packet.direction === 'sent' ? `${client} → ${server}` : `${server} → ${client}`;
  const fate = fateText(packet);
  return (
    <header class="wire-detail-head">
      <h3>{packetLabel(packet)}</h3>
      {fate && <em class={`fate fate-${packet.fate?.kind}`}>{fate}</em>}
      {decoded.hasFault && <em class="fate fate-cut">{t('wire.malformed')}</em>}
      <span class="muted">{way}</span>
      <span class="muted">{timeText(packet.time)}</span>
      <span class="muted">{t('wire.length', { count: packet.length })}</span>
      <span class="muted">MQTT {packet.version === 5 ? '5.0' : '3.1.1'}</span>
      {packet.bytes.length < packet.length && <span class="warm">{t('wire.kept', { count: packet.bytes.length })}</span>}
      {children}
    </header>
  );
}

/** Always there, so that nothing moves. */
function Rule({ field, decoded }: { field: PacketField | null; decoded: PacketFields }) {
  const texts = packetTexts();
  return (
    <p class="wire-rule">
      {field?.fault && <strong class="danger">{texts.faults[field.fault]} </strong>}
      {field?.rule ? (
        <>
          <b>[{ruleId(field.rule, decoded.version)}]</b> {texts.rules[field.rule]}
        </>
      ) : (
        !field?.fault && <span class="muted">{field ? t('wire.noRule', { field: field.name }) : t('wire.pointAtField')}</span>
      )}
    </p>
  );
}
