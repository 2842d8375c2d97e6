// Reads the fields of a packet one after the other and notes where each stands. Knows of MQTT how a value is written (1.5).

import type { WireVersion } from './packet-names.ts';
import { type RuleName, ruleId } from './packet-rules.ts';

/** What is wrong with a field. The page has a text for each. */
export type FieldFault =
  | 'ends' | 'notShortest' | 'integerTooLong' | 'notUtf8' | 'nullCharacter' | 'reserved' | 'qos3' | 'dupAtQos0' | 'zero' | 'notBoolean'
  | 'notQuality' | 'propertyUnknown' | 'propertyMisplaced' | 'propertyTwice' | 'wildcard' | 'emptyTopic' | 'noTopic' | 'badFilter' | 'reasonUnknown'
  | 'reasonMisplaced' | 'willWithoutFlag' | 'passwordWithoutUserName' | 'protocolUnknown' | 'sessionOnRefusal' | 'noFilter' | 'noReason'
  | 'trailing' | 'typeUnknown' | 'notIn311' | 'methodMissing' | 'retainHandling3' | 'noLocalShared' | 'lengthWrong' | 'notDecoded';

/** What is worth knowing of a field. The page has a text for each. */
export type FieldNote =
  | 'keepAliveOff' | 'never' | 'endsWithConnection' | 'assignedByServer' | 'aliasStands' | 'emptyRetained' | 'shortForm' | 'shortened'
  | 'secret' | 'atMostOnce' | 'atLeastOnce' | 'exactlyOnce' | 'refused' | 'cutOff';

/** A part of a packet: `start` to `end` in its bytes, the end excluded. */
export interface PacketField {
  /** In the standard's words. */
  readonly name: string;
  value: string;
  readonly start: number;
  end: number;
  /** Of one byte, the bits that it is. */
  mask?: number;
  rule?: RuleName;
  note?: FieldNote;
  fault?: FieldFault;
  /** Nobody should read it over a shoulder. */
  isSecret?: true;
  fields?: PacketField[];
}

export interface FieldExtras {
  readonly rule?: RuleName | undefined;
  readonly note?: FieldNote | undefined;
}

/** Thrown where nothing more can be read, and caught by whoever decodes a packet. */
export const STOP = Symbol('stop');

export class PacketCursor {
  readonly bytes: Uint8Array;
  readonly version: WireVersion;
  at = 0;
  /** Where what is read now must end. */
  end: number;
  /** Where the packet would end if all of it were here. */
  readonly length: number;
  /** The fields of what is read now. */
  list: PacketField[] = [];
  hasFault = false;

  constructor(bytes: Uint8Array, version: WireVersion, length: number) {
    this.bytes = bytes;
    this.version = version;
    this.end = bytes.length;
    this.length = length;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** A field that ends where the cursor is. */
  add(name: string, start: number, value: string, { rule, note }: FieldExtras = {}): PacketField {
    const field: PacketField = { name, value, start, end: this.at };
    if (rule && ruleId(rule, this.version)) field.rule = rule;
    if (note) field.note = note;
    this.list.push(field);
    return field;
  }

  /** Says what is wrong with a field, and which rule says so. */
  blame(field: PacketField, fault: FieldFault, rule?: RuleName): void {
    this.hasFault = true;
    field.fault ??= fault;
    if (rule && ruleId(rule, this.version)) field.rule = rule;
  }

  /** A field made of others, which `read` adds. */
  group(name: string, extras: FieldExtras, read: (field: PacketField) => void): PacketField {
    const field = this.add(name, this.at, '', extras);
    const outer = this.list;
    this.list = field.fields = [];
    try {
      read(field);
    } finally {
      this.list = outer;
      field.end = this.at;
    }
    return field;
  }

  /** Reads no further than `length` bytes from here. */
  within(length: number, read: () => void): void {
    const outer = this.end;
    this.end = Math.min(outer, this.at + length);
    try {
      read();
    } finally {
      this.end = outer;
    }
  }

  /** The place of so many bytes, which are passed; a field that is not whole stops it all. */
  take(name: string, length: number): number {
    const start = this.at;
    if (start + length <= this.end) {
      this.at += length;
      return start;
    }
    this.at = this.end;
    const field = this.add(name, start, '');
    if (this.end === this.bytes.length && this.length > this.end) field.note = 'cutOff';
    else this.blame(field, 'ends');
    throw STOP;
  }

  /** A number of as many bytes. */
  number(name: string, length: 1 | 2 | 4, extras?: FieldExtras, show: (value: number) => string = String): { value: number; field: PacketField } {
    const start = this.take(name, length);
    let value = 0;
    for (let at = start; at < this.at; at += 1) value = value * 0x100 + this.bytes[at]!;
    return { value, field: this.add(name, start, show(value), extras) };
  }

  /** A Variable Byte Integer (1.5.5). */
  variable(name: string, extras?: FieldExtras): { value: number; field: PacketField } {
    const start = this.at;
    let value = 0;
    for (let place = 0; place < 4; place += 1) {
      if (this.isAtEnd) {
        this.at = start;
        this.take(name, this.end - start + 1);
      }
      const byte = this.bytes[this.at]!;
      this.at += 1;
      value += (byte & 0x7f) * 128 ** place;
      if (byte >= 0x80) continue;
      const field = this.add(name, start, String(value), extras);
      if (byte === 0 && place > 0) this.blame(field, 'notShortest', 'shortestInteger');
      return { value, field };
    }
    this.blame(this.add(name, start, ''), 'integerTooLong', 'shortestInteger');
    throw STOP;
  }

  /** A UTF-8 Encoded String (1.5.4), with its length in front. */
  text(name: string, extras: FieldExtras = {}): { value: string; field: PacketField } {
    const { start, content } = this.#prefixed(name);
    const field = this.add(name, start, '', extras);
    const { text, isUtf8 } = decodeText(content);
    this.#show(field, text);
    if (!isUtf8) this.blame(field, 'notUtf8', 'utf8');
    else if (text.includes('\0')) this.blame(field, 'nullCharacter', 'nullCharacter');
    return { value: text, field };
  }

  /** Binary Data (1.5.6), with its length in front. */
  binary(name: string, extras: FieldExtras = {}): { value: Uint8Array; field: PacketField } {
    const { start, content } = this.#prefixed(name);
    const field = this.add(name, start, '', extras);
    this.show(field, content);
    return { value: content, field };
  }

  /** All that is left. */
  rest(name: string, extras: FieldExtras = {}): PacketField {
    const start = this.at;
    this.at = this.end;
    const field = this.add(name, start, '', extras);
    this.show(field, this.bytes.subarray(start, this.end));
    return field;
  }

  /** Shows bytes: as text if they are some. */
  show(field: PacketField, bytes: Uint8Array): void {
    const { text, isUtf8 } = decodeText(bytes.subarray(0, 4 * LONGEST_TEXT));
    // The end of what is looked at may fall within a character.
    if ((isUtf8 || bytes.length > 4 * LONGEST_TEXT) && !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffd]/.test(text.slice(0, LONGEST_TEXT))) {
      this.#show(field, text, bytes.length > 4 * LONGEST_TEXT);
      return;
    }
    field.value = `0x${[...bytes.subarray(0, LONGEST_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    if (bytes.length > LONGEST_BYTES) field.note = 'shortened';
  }

  #show(field: PacketField, text: string, isPart = false): void {
    const shown = text.length > LONGEST_TEXT ? [...text.slice(0, LONGEST_TEXT)].slice(0, -1).join('') : text;
    field.value = quoted(shown);
    if (isPart || shown !== text) field.note = 'shortened';
  }

  #prefixed(name: string): { start: number; content: Uint8Array } {
    const start = this.at;
    if (this.end - start < 2) this.take(name, 2);
    const length = this.bytes[start]! * 0x100 + this.bytes[start + 1]!;
    this.take(name, 2 + length);
    return { start, content: this.bytes.subarray(start + 2, this.at) };
  }
}

/** Between quotation marks; what would not be seen, or would change what is beside it, is escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

function decodeText(bytes: Uint8Array): { text: string; isUtf8: boolean } {
  try {
    return { text: strict.decode(bytes), isUtf8: true };
  } catch {
    return { text: lenient.decode(bytes), isUtf8: false };
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Characters and bytes of a value that are shown beside its name: the bytes themselves show all of it. */
const LONGEST_TEXT = 200;
const LONGEST_BYTES = 24;
