// The latest packets between the clients of this page and their servers, in the order in which they passed. Knows nothing of how
// they are shown.

import type { ReadonlySignal } from '@preact/signals';
import { signal } from '@preact/signals';
import { FrameVersion } from './frame.ts';
import type { WireVersion } from './packet-names.ts';
import { Ring } from './ring.ts';

/** As the client sees it. */
export type Direction = 'sent' | 'received';

/** Who speaks to a server: a connection of the page, or one of those that are simulated. */
export interface WireParty {
  /** From 1, in the order in which they came. */
  readonly number: number;
  /** Where it connects to; those with the same one share a line. `tab` is the broker in this page. */
  readonly server: string;
  readonly kind: 'connection' | 'sensor' | 'experiment';
  /** Its Client Identifier, once a packet has said it. */
  readonly clientId: ReadonlySignal<string>;
  /** Which of its connections is the last one, from 1; 0 before the first. */
  readonly attempt: ReadonlySignal<number>;
}

/** What became of a packet, if it did not just go on. */
export interface Fate {
  /** `cut`: the connection ended in its place. */
  readonly kind: 'dropped' | 'duplicated' | 'cut' | 'delayed';
  /** Milliseconds that it was held up. */
  readonly delay: number;
}

/** A packet that passed, or was to. */
export interface WirePacket {
  readonly kind: 'packet';
  /** The first one that ever came is 0. */
  readonly number: number;
  /** Milliseconds since 1970, with fractions. */
  readonly time: number;
  readonly party: WireParty;
  readonly direction: Direction;
  /** What the connection speaks. */
  readonly version: WireVersion;
  /** The packet; of a longer one the first bytes. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly fate: Fate | undefined;
  /** The Topic Name that its Topic Alias stands for, where it has that alone. */
  readonly topic: string | undefined;
}

/** Something that happened to a connection. `failed`: it did not open. `garbage`: bytes that are no packet. */
export interface WireNote {
  readonly kind: 'opened' | 'failed' | 'closedByClient' | 'closedByServer' | 'cut' | 'garbage' | 'text';
  readonly number: number;
  readonly time: number;
  readonly party: WireParty;
}

export type WireEntry = WirePacket | WireNote;

export type NewEntry = Omit<WirePacket, 'number'> | Omit<WireNote, 'number'>;

/** How much is kept. */
export interface WireLimits {
  /** Packets and notes, from 1. Default 50,000. */
  entries?: number;
  /** Bytes of packets. Default 32 MiB. */
  bytes?: number;
}

/** The log of all connections of the page. */
export class WireLog {
  readonly #limits: Required<WireLimits>;
  readonly #entries: Ring<WireEntry>;
  readonly #version = new FrameVersion();
  readonly #parties = signal<readonly WireParty[]>([]);
  #bytes = 0;
  /** The number of the oldest entry that is here. */
  #first = 0;
  #last = 0;

  constructor({ entries = ENTRIES, bytes = BYTES }: WireLimits = {}) {
    this.#limits = { entries, bytes };
    this.#entries = new Ring(entries);
  }

  /** Those that were there since the page was opened and were not taken away. */
  get parties(): ReadonlySignal<readonly WireParty[]> {
    return this.#parties;
  }

  /** Changes at most once a frame. */
  get version(): ReadonlySignal<number> {
    return this.#version.signal;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The number of the oldest entry that is here: so many made room, or were cleared. */
  get first(): number {
    return this.#first;
  }

  /** The number that the next entry gets. */
  get next(): number {
    return this.#last;
  }

  /** The entry of this number, while it is here. */
  numbered(number: number): WireEntry | undefined {
    return number < this.#first ? undefined : this.#entries.at(number - this.#first);
  }

  /** A new party. */
  join(server: string, kind: WireParty['kind'] = 'connection'): Participant {
    joined += 1;
    const party = new Participant(joined, server, kind);
    this.#parties.value = [...this.#parties.value, party];
    return party;
  }

  /** It is over, and its line goes; what passed stays until it makes room. */
  leave(party: WireParty): void {
    this.#parties.value = this.#parties.value.filter((other) => other !== party);
  }

  push(entry: NewEntry): WireEntry {
    const numbered = { ...entry, number: this.#last } as WireEntry;
    this.#last += 1;
    const evicted = this.#entries.push(numbered);
    this.#bytes += size(numbered);
    if (evicted) this.#forget(evicted);
    while (this.#bytes > this.#limits.bytes && this.length > 1) this.#forget(this.#entries.shift()!);
    this.#version.bump();
    return numbered;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#first = this.#last;
    this.#version.bump();
  }

  #forget(entry: WireEntry): void {
    this.#bytes -= size(entry);
    this.#first += 1;
  }
}

/** A party, as those who record its packets know it. */
export class Participant implements WireParty {
  readonly number: number;
  readonly server: string;
  readonly kind: WireParty['kind'];
  readonly clientId = signal('');
  readonly attempt = signal(0);

  constructor(number: number, server: string, kind: WireParty['kind']) {
    this.number = number;
    this.server = server;
    this.kind = kind;
  }
}

function size(entry: WireEntry): number {
  return entry.kind === 'packet' ? entry.bytes.length : 0;
}

/** Over all logs. */
let joined = 0;

const ENTRIES = 50_000;
const BYTES = 32 << 20;
