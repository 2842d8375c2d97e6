// What a client's connections carry, packet by packet, for those who listen. While nobody does, packets are only counted.

import { MqttError } from './error.js';
import type { Listeners } from './events.js';
import type { ProtocolVersion } from './options.js';
import type { describePacket, PacketType } from './packets.js';
import { Splitter } from './splitter.js';

/** A packet that a client has sent or received. */
export interface PacketEvent {
  /** As the client sees it. */
  direction: 'sent' | 'received';
  type: PacketType;
  /** One line that describes it. Passwords and Authentication Data are not in it, only how long they are. */
  text: string;
  /** The packet as it is on the wire, with all its secrets; of one that is larger than 1,048,576 bytes the first of them. */
  bytes: Uint8Array;
}

interface TapHooks {
  /** Runs a task when user code may be called. */
  defer(task: () => void): void;
  version(): ProtocolVersion;
  describeReason(reason: number): string;
}

/** Hears both directions of one connection at a time. */
export class Tap {
  readonly #listeners: Listeners;
  readonly #hooks: TapHooks;
  #lanes = lanes();
  #describe: typeof describePacket | undefined;
  #loading: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor(listeners: Listeners, hooks: TapHooks) {
    this.#listeners = listeners;
    this.#hooks = hooks;
  }

  /** What comes now belongs to another connection. */
  begin(): void {
    this.#lanes = lanes();
  }

  pass(direction: PacketEvent['direction'], bytes: Uint8Array): void {
    const isHeard = this.#listeners.has('packet');
    if (!isHeard && direction === 'sent') return; // the engine gives whole packets
    this.#lanes[direction].splitter.split(bytes, isHeard ? (packet, length) => this.#tell(direction, packet, length) : undefined);
  }

  #tell(direction: PacketEvent['direction'], bytes: Uint8Array, length: number): void {
    const version = this.#hooks.version();
    const { aliases } = this.#lanes[direction];
    const tell = () => {
      const { describeReason } = this.#hooks;
      const described = this.#describe?.(bytes, { version, describeReason, length, aliases });
      if (described) this.#listeners.emit('packet', { direction, type: described.type, text: described.text, bytes });
    };
    if (this.#describe) return this.#hooks.defer(tell);
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(tell);
    this.#loading ??= this.#load();
  }

  /** Few need it, so that it is a file of its own. */
  async #load(): Promise<void> {
    try {
      this.#describe = (await import('./packets.js')).describePacket;
    } catch (cause) {
      this.#listeners.report(new MqttError('unsupported', 'The code that describes packets could not be loaded.', { cause }));
    }
    for (const tell of this.#waiting.splice(0)) tell();
  }
}

function lanes() {
  const lane = () => ({ splitter: new Splitter(), aliases: new Map<number, string>() });
  return { sent: lane(), received: lane() };
}

/** Packets that wait for the code that describes them; more are not told of. */
const MOST_WAITING = 1_000;
