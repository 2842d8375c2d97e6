// Messages as files: CSV for tables, NDJSON for programs. Knows nothing of how a file is saved.

import { base64, utf8 } from './formats.ts';
import type { LoggedMessage } from './message.ts';
import { hexPairs } from './notation.ts';

export type ExportFormat = 'csv' | 'ndjson';

/**
 * The text of a file, in parts of at most 500 messages, so that a page can breathe between them.
 * Both formats hold every payload whole: as text where it is UTF-8, otherwise in Base64, or in CSV as hexadecimal digits.
 */
export function* exported(messages: Iterable<LoggedMessage>, format: ExportFormat): Generator<string> {
  const line = format === 'csv' ? csvLine : ndjsonLine;
  let lines: string[] = format === 'csv' ? [COLUMNS.join(',') + CRLF] : [];
  for (const message of messages) {
    lines.push(line(message));
    if (lines.length < PART) continue;
    yield lines.join('');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('');
}

/** One message as an object of JSON: what `GET /subscribe` of the HTTP interface says, with time and direction. */
function ndjsonLine(message: LoggedMessage): string {
  const { time, direction, topic, qos, retain, dup, packetIdentifier, properties } = message;
  const value = {
    time: new Date(time).toISOString(),
    direction,
    topic,
    ...payloadOf(message),
    qos,
    retain,
    dup,
    packetIdentifier,
    ...readable(properties),
  };
  return `${JSON.stringify(value)}\n`;
}

function payloadOf({ payload }: LoggedMessage): { payload: string } | { payloadBase64: string } {
  const text = utf8(payload);
  return text === undefined ? { payloadBase64: base64(payload) } : { payload: text };
}

/** RFC 4180. Of `escaped text` the first apostrophe is none of the payload's. */
function csvLine(message: LoggedMessage): string {
  const { time, direction, topic, qos, retain, dup, packetIdentifier, properties } = message;
  const text = utf8(message.payload);
  const cells = [
    new Date(time).toISOString(),
    direction,
    topic,
    qos,
    retain,
    dup,
    packetIdentifier ?? '',
    text === undefined ? 'hex' : isFormula(text) ? 'escaped text' : 'text',
    text ?? hexPairs(message.payload), // Base64 may begin as a formula does
    propertiesText(properties),
  ];
  return cells.map((cell) => csvCell(String(cell))).join(',') + CRLF;
}

function propertiesText(properties: LoggedMessage['properties']): string {
  const value = readable(properties);
  return Object.keys(value).length > 0 ? JSON.stringify(value) : '';
}

/** The properties as JSON has them: Correlation Data in Base64. */
function readable({ correlationData, ...others }: LoggedMessage['properties']): object {
  return correlationData ? { ...others, correlationData: base64(correlationData) } : others;
}

/** A cell that a spreadsheet would take for a formula gets an apostrophe before it: who sent the message is not to run anything. */
function csvCell(text: string): string {
  const safe = isFormula(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function isFormula(text: string): boolean {
  return FORMULA.test(text) && !NUMBER.test(text);
}

const COLUMNS = ['time', 'direction', 'topic', 'qos', 'retain', 'dup', 'packetIdentifier', 'encoding', 'payload', 'properties'];
const CRLF = '\r\n';
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const QUOTED = /[",\r\n]/;
const PART = 500;
