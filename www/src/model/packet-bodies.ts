// What follows the Fixed Header of each packet (chapter 3). Knows nothing of what is done with the fields.

import type { PacketCursor, PacketField } from './packet-cursor.ts';
import { isReasonOf, type PacketName, reasonName, RETURN_CODES } from './packet-names.ts';
import { properties } from './packet-properties.ts';
import type { RuleName } from './packet-rules.ts';

/** CONNECT (3.1). */
export function connect(cursor: PacketCursor): void {
  const is5 = cursor.version === 5;
  const name = cursor.text('Protocol Name', { rule: 'protocolName' });
  if (name.value !== 'MQTT') cursor.blame(name.field, 'protocolUnknown');
  const level = cursor.number(is5 ? 'Protocol Version' : 'Protocol Level', 1, { rule: 'protocolVersion' }, versionText);
  if (level.value !== 4 && level.value !== 5) cursor.blame(level.field, 'protocolUnknown');
  const flags = connectFlags(cursor);
  const keepAlive = cursor.number('Keep Alive', 2, { rule: 'keepAlive' }, (seconds) => `${seconds} s`);
  if (keepAlive.value === 0) keepAlive.field.note = 'keepAliveOff';
  properties(cursor, 'CONNECT');
  const clientId = cursor.text('Client Identifier', { rule: 'clientId' });
  if (clientId.value === '') Object.assign(clientId.field, { note: 'assignedByServer', rule: 'emptyClientId' });
  if (flags & 0x04) {
    properties(cursor, 'Will', 'Will Properties');
    cursor.text('Will Topic', { rule: 'willTopic' });
    cursor.binary(is5 ? 'Will Payload' : 'Will Message', { rule: 'willFields' });
  }
  if (flags & 0x80) cursor.text('User Name', { rule: 'userName' });
  if (flags & 0x40) {
    cursor.binary('Password', { rule: 'passwordFlag', note: 'secret' }).field.isSecret = true;
  }
}

function connectFlags(cursor: PacketCursor): number {
  const start = cursor.take('Connect Flags', 1);
  const flags = cursor.bytes[start]!;
  const group = cursor.add('Connect Flags', start, binary(flags));
  const part = bits(cursor, group, start, flags);
  const hasWill = (flags & 0x04) !== 0;
  part('User Name Flag', 0x80, 'userNameFlag');
  const password = part('Password Flag', 0x40, 'passwordFlag');
  if (cursor.version === 4 && flags & 0x40 && !(flags & 0x80)) cursor.blame(password, 'passwordWithoutUserName', 'passwordNeedsUserName');
  const retain = part('Will Retain', 0x20, hasWill ? 'willRetain' : 'willRetainWithoutWill');
  if (flags & 0x20 && !hasWill) cursor.blame(retain, 'willWithoutFlag');
  const qos = part('Will QoS', 0x18, hasWill ? 'willQos' : 'willQosWithoutWill');
  if ((flags & 0x18) === 0x18) cursor.blame(qos, 'qos3', 'willQos');
  else if (flags & 0x18 && !hasWill) cursor.blame(qos, 'willWithoutFlag');
  part('Will Flag', 0x04, 'willFlag');
  part(cursor.version === 5 ? 'Clean Start' : 'Clean Session', 0x02, flags & 0x02 ? 'cleanStart' : 'resumeSession');
  if (flags & 0x01) cursor.blame(part('Reserved', 0x01, 'connectReserved'), 'reserved');
  else part('Reserved', 0x01, 'connectReserved');
  return flags;
}

/** CONNACK (3.2). */
export function connack(cursor: PacketCursor): void {
  const start = cursor.take('Connect Acknowledge Flags', 1);
  const flags = cursor.bytes[start]!;
  const group = cursor.add('Connect Acknowledge Flags', start, binary(flags), { rule: 'connackFlags' });
  const part = bits(cursor, group, start, flags);
  const reserved = part('Reserved', 0xfe, 'connackFlags');
  if (flags & 0xfe) cursor.blame(reserved, 'reserved');
  const present = part('Session Present', 0x01, 'sessionPresent');
  const code = cursor.version === 5 ? reason(cursor, 'CONNACK', 'connackReason', 'Connect Reason Code') : returnCode(cursor);
  if (flags & 0x01 && code > 0) cursor.blame(present, 'sessionOnRefusal', 'refusedWithoutSession');
  properties(cursor, 'CONNACK');
}

function returnCode(cursor: PacketCursor): number {
  const { value, field } = cursor.number('Connect Return code', 1, {}, (code) => named(code, RETURN_CODES[code]));
  if (value >= RETURN_CODES.length) cursor.blame(field, 'reasonUnknown');
  else if (value > 0) field.note = 'refused';
  return value;
}

/** PUBLISH (3.3). */
export function publish(cursor: PacketCursor, first: number): void {
  const topic = cursor.text('Topic Name', { rule: 'topicFirst' });
  if (/[+#]/.test(topic.value)) cursor.blame(topic.field, 'wildcard', 'topicWithoutWildcards');
  if (first & 0x06) packetIdentifier(cursor, 'clientIdentifiers');
  const has = properties(cursor, 'PUBLISH');
  if (topic.value === '' && topic.field.fault === undefined) {
    if (has.has('Topic Alias')) topic.field.note = 'aliasStands';
    else cursor.blame(topic.field, cursor.version === 5 ? 'noTopic' : 'emptyTopic', 'topicNotEmpty');
  }
  const isRemoval = cursor.isAtEnd && (first & 0x01) !== 0 && cursor.length === cursor.bytes.length;
  const payload = cursor.rest('Payload', isRemoval ? { rule: 'emptyRetained', note: 'emptyRetained' } : {});
  if (cursor.length > cursor.bytes.length) payload.note = 'cutOff';
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7). */
export function acknowledgement(cursor: PacketCursor, name: PacketName, rule: RuleName): void {
  const identifier = packetIdentifier(cursor, 'acknowledgedIdentifier');
  if (cursor.version === 4) return;
  if (cursor.isAtEnd) {
    identifier.note = 'shortForm';
    return;
  }
  reason(cursor, name, rule);
  if (!cursor.isAtEnd) properties(cursor, name);
}

/** SUBSCRIBE (3.8). */
export function subscribe(cursor: PacketCursor): void {
  packetIdentifier(cursor, 'clientIdentifiers');
  properties(cursor, 'SUBSCRIBE');
  if (cursor.isAtEnd) return missing(cursor, 'Topic Filter', 'noFilter', 'oneFilter');
  while (!cursor.isAtEnd) {
    cursor.group('Subscription', { rule: 'oneFilter' }, (group) => {
      const filter = cursor.text('Topic Filter', { rule: 'filterText' });
      group.value = filter.field.value;
      checkFilter(cursor, filter.value, filter.field);
      const isShared = /^\$share\//.test(filter.value);
      if (isShared && cursor.version === 5) filter.field.rule = 'sharedFilter';
      subscriptionOptions(cursor, isShared);
    });
  }
}

function subscriptionOptions(cursor: PacketCursor, isShared: boolean): void {
  const is5 = cursor.version === 5;
  const name = is5 ? 'Subscription Options' : 'Requested QoS';
  const start = cursor.take(name, 1);
  const options = cursor.bytes[start]!;
  const group = cursor.add(name, start, binary(options));
  const part = bits(cursor, group, start, options);
  const reserved = part('Reserved', is5 ? 0xc0 : 0xfc, 'subscribeReserved');
  if (options & (is5 ? 0xc0 : 0xfc)) cursor.blame(reserved, 'reserved');
  if (is5) {
    const handling = part('Retain Handling', 0x30, 'retainHandling');
    if ((options & 0x30) === 0x30) cursor.blame(handling, 'retainHandling3');
    part('Retain As Published', 0x08, 'retainAsPublished');
    const noLocal = part('No Local', 0x04, 'noLocal');
    if (options & 0x04 && isShared) cursor.blame(noLocal, 'noLocalShared', 'noLocalShared');
  }
  const qos = part(is5 ? 'Maximum QoS' : 'QoS', 0x03, 'requestedQos');
  if ((options & 0x03) === 3) cursor.blame(qos, 'qos3');
}

/** SUBACK (3.9). */
export function suback(cursor: PacketCursor): void {
  packetIdentifier(cursor, 'answeredIdentifier');
  properties(cursor, 'SUBACK');
  if (cursor.isAtEnd) return missing(cursor, 'Reason Code', 'noReason', 'subackOrder');
  while (!cursor.isAtEnd) {
    if (cursor.version === 5) reason(cursor, 'SUBACK', 'subackReason');
    else grantedQuality(cursor);
  }
}

function grantedQuality(cursor: PacketCursor): void {
  const text = (code: number): string => named(code, code === 0x80 ? 'Failure' : code < 3 ? `Success - Maximum QoS ${code}` : undefined);
  const { value, field } = cursor.number('Return Code', 1, { rule: 'subackReason' }, text);
  if (value === 0x80) field.note = 'refused';
  else if (value > 2) cursor.blame(field, 'reasonUnknown');
}

/** UNSUBSCRIBE (3.10). */
export function unsubscribe(cursor: PacketCursor): void {
  packetIdentifier(cursor, 'clientIdentifiers');
  properties(cursor, 'UNSUBSCRIBE');
  if (cursor.isAtEnd) return missing(cursor, 'Topic Filter', 'noFilter', 'oneUnsubscribeFilter');
  while (!cursor.isAtEnd) {
    const filter = cursor.text('Topic Filter', { rule: 'unsubscribeText' });
    checkFilter(cursor, filter.value, filter.field);
  }
}

/** UNSUBACK (3.11). */
export function unsuback(cursor: PacketCursor): void {
  packetIdentifier(cursor, 'answeredIdentifier');
  if (cursor.version === 4) return;
  properties(cursor, 'UNSUBACK');
  if (cursor.isAtEnd) return missing(cursor, 'Reason Code', 'noReason', 'unsubackOrder');
  while (!cursor.isAtEnd) reason(cursor, 'UNSUBACK', 'unsubackReason');
}

/** DISCONNECT (3.14). */
export function disconnect(cursor: PacketCursor): void {
  if (cursor.version === 4 || cursor.isAtEnd) return;
  reason(cursor, 'DISCONNECT', 'disconnectReason', 'Disconnect Reason Code');
  if (!cursor.isAtEnd) properties(cursor, 'DISCONNECT');
}

/** AUTH (3.15). */
export function authentication(cursor: PacketCursor): void {
  if (cursor.version === 4 || cursor.isAtEnd) return;
  const code = reason(cursor, 'AUTH', 'authReason', 'Authenticate Reason Code');
  const has = properties(cursor, 'AUTH');
  if (has.has('Authentication Method') || (code === 0 && has.size === 0)) return;
  missing(cursor, 'Authentication Method', 'methodMissing', 'authenticationMethod');
}

function packetIdentifier(cursor: PacketCursor, rule: RuleName): PacketField {
  const { value, field } = cursor.number('Packet Identifier', 2, { rule });
  if (value === 0) cursor.blame(field, 'zero', 'clientIdentifiers');
  return field;
}

function reason(cursor: PacketCursor, packet: PacketName, rule: RuleName, name = 'Reason Code'): number {
  const { value, field } = cursor.number(name, 1, { rule }, (code) => named(code, reasonName(code, packet)));
  if (reasonName(value, packet) === undefined) cursor.blame(field, 'reasonUnknown');
  else if (!isReasonOf(value, packet)) cursor.blame(field, 'reasonMisplaced');
  else if (value >= 0x80) field.note = 'refused';
  return value;
}

/** A Topic Filter that cannot be one (4.7). */
function checkFilter(cursor: PacketCursor, filter: string, field: PacketField): void {
  if (field.fault) return;
  const levels = filter.split('/');
  if (filter === '') cursor.blame(field, 'emptyTopic', 'topicNotEmpty');
  else if (levels.some((level, index) => level.includes('#') && (level !== '#' || index < levels.length - 1))) {
    cursor.blame(field, 'badFilter', 'multiLevelWildcard');
  } else if (levels.some((level) => level.includes('+') && level !== '+')) cursor.blame(field, 'badFilter', 'singleLevelWildcard');
}

/** A field that should be here, of no bytes. */
function missing(cursor: PacketCursor, name: string, fault: 'noFilter' | 'noReason' | 'methodMissing', rule: RuleName): void {
  cursor.blame(cursor.add(name, cursor.at, ''), fault, rule);
}

/** The parts of one byte, as fields of `group`. */
function bits(cursor: PacketCursor, group: PacketField, start: number, byte: number): (name: string, mask: number, rule: RuleName) => PacketField {
  group.fields = [];
  return (name, mask, rule) => {
    const outer = cursor.list;
    cursor.list = group.fields!;
    const field = cursor.add(name, start, String((byte & mask) / (mask & -mask)), { rule });
    cursor.list = outer;
    field.mask = mask;
    return field;
  };
}

function named(code: number, name: string | undefined): string {
  const number = `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return name ? `${number} ${name}` : number;
}

function binary(byte: number): string {
  return byte.toString(2).padStart(8, '0');
}

function versionText(level: number): string {
  const name = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' }[level];
  return name ? `${level} (${name})` : String(level);
}
