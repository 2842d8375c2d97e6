// The properties of MQTT 5 (2.2.2): each an identifier and a value, behind the length of them all. Knows no packet.

import type { FieldExtras, PacketCursor, PacketField } from './packet-cursor.ts';
import { PROPERTIES, type PropertyKind, type PropertyPlace } from './packet-names.ts';
import type { RuleName } from './packet-rules.ts';

/** Reads them, where the version has any. The names of those that are there. */
export function properties(cursor: PacketCursor, place: PropertyPlace, name = 'Properties'): Set<string> {
  const seen = new Set<string>();
  if (cursor.version === 4) return seen;
  cursor.group(name, {}, (group) => {
    const length = cursor.variable('Property Length', { rule: 'propertyLength' });
    const isWhole = cursor.at + length.value <= cursor.end;
    cursor.within(length.value, () => {
      while (!cursor.isAtEnd) property(cursor, place, seen);
    });
    group.value = seen.size > 0 ? String(group.fields!.length - 1) : '';
    if (!isWhole) cursor.take(name, length.value);
    if (seen.has('Authentication Data') && !seen.has('Authentication Method') && place === 'CONNECT') {
      const data = group.fields!.find((field) => field.name === 'Authentication Data')!;
      cursor.blame(data, 'methodMissing', 'authenticationMethod');
    }
  });
  return seen;
}

function property(cursor: PacketCursor, place: PropertyPlace, seen: Set<string>): void {
  const { list, at: start } = cursor;
  const identifier = cursor.variable('Identifier');
  const kind = PROPERTIES[identifier.value];
  list.pop();
  if (!kind) {
    // Nobody can tell where it ends, so the rest of the section goes with it.
    cursor.at = cursor.end;
    return cursor.blame(cursor.add('Property', start, hex(identifier.value)), 'propertyUnknown');
  }
  value(cursor, kind, place);
  const read = list.pop()!;
  const { value: text, end, isSecret, fields } = read;
  const field: PacketField = { ...read, start };
  field.fields = [
    { name: 'Identifier', value: hex(identifier.value), start, end: identifier.field.end },
    ...(fields ?? [{ name: 'Value', value: text, start: identifier.field.end, end, ...(isSecret && { isSecret }) }]),
  ];
  list.push(field);
  if (identifier.field.fault) cursor.blame(field, identifier.field.fault);
  const mayRepeat = kind.name === 'User Property' || (kind.name === 'Subscription Identifier' && place === 'PUBLISH');
  if (!kind.places.includes(place)) cursor.blame(field, 'propertyMisplaced');
  else if (seen.has(kind.name) && !mayRepeat) cursor.blame(field, 'propertyTwice');
  seen.add(kind.name);
}

function value(cursor: PacketCursor, { name, type, unit }: PropertyKind, place: PropertyPlace): void {
  const extras: FieldExtras = { rule: RULES_IN[place]?.[name] ?? RULES_OF[name] };
  const show = (number: number): string => (unit ? `${number} ${unit}` : String(number));
  switch (type) {
    case 'boolean':
    case 'quality': {
      const { value, field } = cursor.number(name, 1, extras, show);
      if (value > 1) cursor.blame(field, type === 'quality' ? 'notQuality' : 'notBoolean');
      return;
    }
    case 'short':
    case 'nonZeroShort': {
      const { value, field } = cursor.number(name, 2, extras, show);
      if (value === 0 && type === 'nonZeroShort') cursor.blame(field, 'zero');
      return;
    }
    case 'long':
    case 'nonZeroLong': {
      const { value, field } = cursor.number(name, 4, extras, show);
      if (value === 0 && type === 'nonZeroLong') cursor.blame(field, 'zero');
      if (name === 'Session Expiry Interval' && value === FOREVER) field.note = 'never';
      else if (name === 'Session Expiry Interval' && value === 0) field.note = 'endsWithConnection';
      return;
    }
    case 'identifier': {
      const { value, field } = cursor.variable(name, extras);
      if (value === 0) cursor.blame(field, 'zero');
      return;
    }
    case 'text':
    case 'topic':
      return text(cursor, name, type, extras);
    case 'bytes':
      cursor.binary(name, extras);
      return;
    case 'secret':
      cursor.binary(name, { ...extras, note: 'secret' }).field.isSecret = true;
      return;
    case 'pair':
      pair(cursor, name, extras);
  }
}

function text(cursor: PacketCursor, name: string, type: 'text' | 'topic', extras: FieldExtras): void {
  const { value, field } = cursor.text(name, extras);
  if (type !== 'topic' || field.fault) return;
  if (/[+#]/.test(value)) cursor.blame(field, 'wildcard', 'responseTopic');
  else if (value === '') cursor.blame(field, 'emptyTopic', 'topicNotEmpty');
}

function pair(cursor: PacketCursor, name: string, extras: FieldExtras): void {
  const field = cursor.group(name, extras, () => {
    cursor.text('Name', { rule: 'pair' });
    cursor.text('Value', { rule: 'pair' });
  });
  field.value = field.fields!.map((part) => part.value).join(' = ');
}

function hex(identifier: number): string {
  return `0x${identifier.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Of the Session Expiry Interval: the session never ends by itself. */
const FOREVER = 0xffff_ffff;

const RULES_OF: { readonly [name: string]: RuleName } = {
  'Payload Format Indicator': 'payloadFormat',
  'Message Expiry Interval': 'messageExpiry',
  'Content Type': 'contentType',
  'Response Topic': 'responseTopic',
  'Correlation Data': 'correlationData',
  'Subscription Identifier': 'publishSubscriptionId',
  'Session Expiry Interval': 'sessionExpiry',
  'Assigned Client Identifier': 'assignedClientId',
  'Server Keep Alive': 'serverKeepAlive',
  'Authentication Method': 'authenticationMethod',
  'Authentication Data': 'authenticationBeforeConnack',
  'Request Problem Information': 'requestProblem',
  'Will Delay Interval': 'willDelay',
  'Request Response Information': 'requestResponse',
  'Receive Maximum': 'receiveMaximum',
  'Topic Alias Maximum': 'clientAliasMaximum',
  'Topic Alias': 'topicAlias',
  'Maximum QoS': 'maximumQos',
  'Retain Available': 'retainAvailable',
  'Maximum Packet Size': 'clientPacketSize',
};

/** What differs where the property stands elsewhere. */
const RULES_IN: { readonly [place in PropertyPlace]?: { readonly [name: string]: RuleName } } = {
  PUBLISH: { 'User Property': 'userPropertyOrder' },
  CONNACK: {
    'Receive Maximum': 'serverReceiveMaximum',
    'Topic Alias Maximum': 'serverAliasMaximum',
    'Maximum Packet Size': 'serverPacketSize',
  },
  DISCONNECT: { 'Session Expiry Interval': 'serverSetsNoExpiry' },
};
