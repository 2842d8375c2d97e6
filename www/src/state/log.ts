import { computed, signal } from '@preact/signals';
import type { QoS } from 'mqlite/broker';

/** Entries that a log keeps; older ones make room. */
export const LOG_LIMIT = 500;

/** One Application Message as a client saw it. */
export interface LogEntry {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly direction: 'sent' | 'received';
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** The latest messages of one client, oldest first. */
export class MessageLog {
  readonly entries = signal<readonly LogEntry[]>([]);
  /** Entries that made room for newer ones. */
  readonly forgotten = computed(() => (this.entries.value.at(-1)?.number ?? 0) - this.entries.value.length);
  #last = 0;

  add(entry: Omit<LogEntry, 'number'>): void {
    this.#last += 1;
    this.entries.value = [...this.entries.value.slice(1 - LOG_LIMIT), { ...entry, number: this.#last }];
  }

  clear(): void {
    this.#last = 0;
    this.entries.value = [];
  }
}
