// Whether a room is here: it may let nobody in while it moves, and send everybody on when it has moved. Knows no MQTT.

/** Where a room has gone. */
export interface Moved {
  /** The address of its WebSocket there, `ws:` or `wss:`. */
  readonly room: string;
  /** Whether clients need not come back here: 0x9D Server moved. Otherwise 0x9C Use another server. Default false. */
  readonly permanent?: boolean;
}

/** Where one room is. What is said while it runs outlives it, and counts more than what its settings say. */
export class Whereabouts {
  readonly #storage: DurableObjectStorage;
  readonly #settings: Moved | undefined;
  #said: Moved | 'suspended' | 'here' | undefined;

  /** @throws RangeError when the settings name no address. */
  constructor(storage: DurableObjectStorage, settings: Moved | undefined) {
    if (settings) check(settings);
    this.#storage = storage;
    this.#settings = settings;
    this.#said = storage.kv.get(KEY);
  }

  /** Where it has gone, if it is not here. */
  get moved(): Moved | 'suspended' | undefined {
    const moved = this.#said ?? this.#settings;
    return moved === 'here' ? undefined : moved;
  }

  /** Nobody is let in from now on. */
  suspend(): void {
    this.#say('suspended');
  }

  /**
   * Everybody is sent there from now on; without a place everybody is let in again.
   * @throws RangeError when it names no address.
   */
  move(moved: Moved | undefined): void {
    if (moved) check(moved);
    this.#say(moved ?? 'here');
  }

  #say(said: Moved | 'suspended' | 'here'): void {
    this.#said = said;
    this.#storage.kv.put(KEY, said);
  }
}

function check({ room }: Moved): void {
  const protocol = URL.canParse(room) ? new URL(room).protocol : '';
  if (protocol !== 'ws:' && protocol !== 'wss:') {
    throw new RangeError('A room moves to the address of a WebSocket, such as wss://example.org/mqtt/harbour.');
  }
}

const KEY = 'whereabouts';
