// A problem in the reader's words: what failed, why as far as that is known, and what may help.

import type { MqttError, MqttErrorCode } from 'mqlite/broker';
import { t, type TextKey } from '../../i18n/index.ts';
import type { Problem } from '../../model/connection.ts';

/** One sentence, and those that may help. `server` is the profile's. */
export function problemText({ during, subject = '', error }: Problem, server: string): { text: string; hints: string[] } {
  const place = server === 'tab' ? t('problem.inTab') : server;
  return { text: t(`problem.${during}`, { server: place, subject }), hints: hintsFor(during, error, server) };
}

function hintsFor(during: Problem['during'], error: unknown, server: string): string[] {
  const { code, reason, reasonString, message = String(error) } = error as Partial<MqttError>;
  if (reason !== undefined) {
    const known = REASONS[reason];
    const words = reasonString ? [t('problem.serverSaid', { text: reasonString })] : !known || isUnspecific(reason) ? [message] : [];
    return [...(known ? [t(known)] : []), ...words, t('problem.code', { code: hexadecimal(reason) })];
  }
  if (code === 'unreachable') return unreachable(server);
  if (code === 'closed' && during === 'connection') return []; // that it is lost is all that is known
  // The package has one code for both.
  if (code === 'closed' && (during === 'connect' || during === 'lookUp')) return [t(SILENT.test(message) ? 'problem.timeout' : 'problem.unanswered')];
  const byCode = code && CODES[code];
  return byCode ? [t(byCode)] : [t('problem.other', { text: message })];
}

function unreachable(server: string): string[] {
  if (server === 'tab') return [t('problem.inTabDown')];
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url && /^(localhost|127\..*|\[::1\])$/.test(url.hostname)) return [t('problem.unreachable.local'), t('problem.unreachable.origin', { origin: location.origin })];
  return [
    t('problem.unreachable'),
    ...(url?.protocol === 'wss:' ? [t('problem.unreachable.wss')] : []),
    t('problem.unreachable.origin', { origin: location.origin }),
  ];
}

function isUnspecific(reason: number): boolean {
  return reason === 0x82 || reason === 0x81 || reason === 0x9c || reason === 0x9d;
}

function hexadecimal(reason: number): string {
  return `0x${reason.toString(16).padStart(2, '0').toUpperCase()}`;
}

const SILENT = /did not answer in time/;

const CODES: Partial<Record<MqttErrorCode, TextKey>> = {
  offline: 'problem.offline',
  timeout: 'problem.timeout',
  interrupted: 'problem.interrupted',
  closed: 'problem.closed',
  'packet-too-large': 'problem.tooLarge',
  'qos-not-supported': 'problem.qos',
  'retain-not-supported': 'problem.retain',
  'wildcard-subscriptions-not-supported': 'problem.wildcards',
  'shared-subscriptions-not-supported': 'problem.shared',
  'subscription-identifiers-not-supported': 'problem.identifiers',
  'needs-mqtt-5': 'problem.needsMqtt5',
  'invalid-topic': 'problem.invalidTopic',
};

/** By the Reason Codes of MQTT 5; the package says those of 3.1.1 in the same way. */
const REASONS: Readonly<Record<number, TextKey>> = {
  0x10: 'problem.nobody',
  0x81: 'problem.protocol',
  0x82: 'problem.protocol',
  0x84: 'problem.version',
  0x85: 'problem.clientId',
  0x86: 'problem.credentials',
  0x87: 'problem.notAuthorized',
  0x88: 'problem.unavailable',
  0x89: 'problem.busy',
  0x8a: 'problem.banned',
  0x8b: 'problem.shuttingDown',
  0x8c: 'problem.method',
  0x8d: 'problem.keepAlive',
  0x8e: 'problem.takenOver',
  0x8f: 'problem.topic',
  0x90: 'problem.topic',
  0x95: 'problem.tooLarge',
  0x96: 'problem.rate',
  0x97: 'problem.quota',
  0x98: 'problem.administrative',
  0x9a: 'problem.retain',
  0x9b: 'problem.qos',
  0x9c: 'problem.moved',
  0x9d: 'problem.moved',
  0x9e: 'problem.shared',
  0x9f: 'problem.rate',
  0xa1: 'problem.identifiers',
  0xa2: 'problem.wildcards',
};
