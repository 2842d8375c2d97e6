// What packets, clients and servers are called, and what is said of fields, in the reader's language.

import { locale, t } from '../../i18n/index.ts';
import { packets as en, type PacketTexts } from '../../i18n/en/packets.ts';
import { packets as zh } from '../../i18n/zh/packets.ts';
import { type PacketSummary, summarise } from '../../model/packet-summary.ts';
import type { WireEntry, WirePacket, WireParty } from '../../model/wire-log.ts';
import { serverName } from '../shell/connection-name.ts';

export function packetTexts(): PacketTexts {
  return locale.value === 'zh' ? zh : en;
}

export function partyName(party: WireParty): string {
  return party.clientId.value || t('connections.unnamed', { number: String(party.number) });
}

export function brokerName(server: string): string {
  return server === 'tab' ? t('wire.broker') : serverName(server);
}

/** The summary of a packet, made once. */
function summaryOf(packet: WirePacket): PacketSummary {
  let summary = summaries.get(packet);
  if (!summary) summaries.set(packet, (summary = summarise(packet.bytes, packet.version, packet.length)));
  return summary;
}

/** What stands behind the name of a packet. */
export function packetDetails(packet: WirePacket): string {
  const { packetIdentifier, qos, dup, retain, subject, payload, sessionPresent, more, reason } = summaryOf(packet);
  const isRefused = reason !== undefined && (reason.code >= 0x80 || (packet.version === 4 && reason.code > 0));
  return [
    packetIdentifier !== undefined && `#${packetIdentifier}`,
    qos !== undefined && `QoS ${qos}`,
    dup && 'DUP',
    retain && 'RETAIN',
    sessionPresent && 'Session Present',
    reason && (isRefused || reason.code > 0) && reason.name,
    packet.topic ?? subject,
    more !== undefined && `+${more}`,
    payload !== undefined && t('wire.bytes', { count: payload }),
  ].filter((part) => part !== false && part !== undefined && part !== '').join('  ');
}

export function packetLabel(packet: WirePacket): string {
  return summaryOf(packet).name ?? t('wire.unknownPacket');
}

/** What became of it, in words. */
export function fateText({ fate }: WirePacket): string {
  if (!fate) return '';
  return t(`wire.fate.${fate.kind}`, { delay: fate.delay });
}

/** An entry in one line, for those who hear it. */
export function entryText(entry: WireEntry): string {
  const [client, server] = [partyName(entry.party), brokerName(entry.party.server)];
  if (entry.kind !== 'packet') return t(`wire.note.${entry.kind}`, { client, server });
  const way = entry.direction === 'sent' ? { from: client, to: server } : { from: server, to: client };
  return [t('wire.entry', { packet: packetLabel(entry), ...way }), packetDetails(entry), fateText(entry)].filter(Boolean).join(', ');
}

/** Hours, minutes, seconds and milliseconds. */
export function timeText(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

const summaries = new WeakMap<WirePacket, PacketSummary>();
