// What an operator reads: one JSON object a line, without payloads and secrets. Knows no place where lines are kept.

import type { BrokerEvent } from 'mqlite/broker';

/** How much is logged: what went wrong, also what was refused, also who comes and goes, also what is of use to developers alone. */
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug';

/** What is logged. */
export interface LogSettings {
  /** Default `info`. */
  readonly level?: LogLevel;
}

/** What a line says besides its level, its event and its room. */
export type LogFields = { readonly [name: string]: string | number | boolean | undefined };

/** The log of one room. */
export class Log {
  readonly #room: string;
  readonly #level: number;
  readonly #clock: () => number;
  /** The second that lines are counted in, how many it has, and how many more there would have been. */
  #second = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(room: string, { level = 'info' }: LogSettings = {}, clock: () => number = Date.now) {
    this.#room = room;
    this.#level = LEVELS.indexOf(level);
    this.#clock = clock;
  }

  error(event: string, fields: LogFields = {}): void {
    this.#write('error', event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#write('warn', event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#write('info', event, fields);
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#write('debug', event, fields);
  }

  /** What the broker tells. */
  brokerEvent(event: BrokerEvent): void {
    switch (event.type) {
      case 'connected':
        return this.info('connected', { clientId: event.clientId, version: event.version, sessionPresent: event.sessionPresent });
      case 'refused':
        return this.warn('refused', { reason: hex(event.refusal.reason), message: event.refusal.message });
      case 'disconnected': {
        const { clientId, refusal } = event;
        return this.info('disconnected', { clientId, reason: hex(refusal.reason), message: refusal.message });
      }
      case 'publishRefused':
        return this.warn('publishRefused', { clientId: event.clientId, topic: event.topic, reason: hex(event.reason) });
      case 'reviewFailed':
        return this.warn('reviewFailed', { clientId: event.clientId, topic: event.topic });
      case 'dropped':
        return this.warn('dropped', { clientId: event.clientId, message: event.why, count: event.count });
      case 'recordRejected':
        return this.error('recordRejected', { message: event.reason });
      case 'storageFailed':
        return this.error('storageFailed', { message: event.error.message });
      default:
        return undefined;
    }
  }

  #write(level: Exclude<LogLevel, 'off'>, event: string, fields: LogFields): void {
    if (LEVELS.indexOf(level) > this.#level) return;
    const second = Math.floor(this.#clock() / 1000);
    if (second !== this.#second) {
      const suppressed = this.#suppressed;
      [this.#second, this.#lines, this.#suppressed] = [second, 0, 0];
      if (suppressed > 0) this.#print('warn', 'suppressed', { count: suppressed });
    }
    // What clients do must not cost without bound; what went wrong in the room itself is always told.
    if (this.#lines >= MOST_LINES && level !== 'error') this.#suppressed += 1;
    else this.#print(level, event, fields);
    this.#lines += 1;
  }

  #print(level: Exclude<LogLevel, 'off'>, event: string, fields: LogFields): void {
    const bounded = Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? shortened(value) : value]);
    console[level](JSON.stringify({ level, event, room: this.#room, ...Object.fromEntries(bounded) }));
  }
}

/** A Reason Code as the standard writes it. */
export function hex(reason: number): string {
  return `0x${reason.toString(16).toUpperCase().padStart(2, '0')}`;
}

function shortened(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}

/** All of them. */
export const LEVELS: readonly LogLevel[] = ['off', 'error', 'warn', 'info', 'debug'];

/** Lines in a second. */
const MOST_LINES = 100;

/** Characters of a value. */
const MOST_CHARACTERS = 256;
