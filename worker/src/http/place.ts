// Where a reader of events is: the id of an event says which session it came from, and which message it was.

/** A session that may be gone on with, and the last message that its reader has. */
export interface Place {
  readonly clientId: string;
  readonly packetIdentifier: number;
}

/** Names the sessions of one kind of reader: who asks for the same filters at the same QoS with the same rights. */
export class Sessions {
  readonly #mark: string;

  private constructor(mark: string) {
    this.#mark = mark;
  }

  /** `who` and `what` tell the kinds of readers apart. */
  static async of(who: string, what: readonly string[]): Promise<Sessions> {
    const text = new TextEncoder().encode(JSON.stringify([who, ...[...what].sort()]));
    const digest = await crypto.subtle.digest('SHA-256', text);
    return new Sessions(hex(new Uint8Array(digest, 0, MARK_BYTES)));
  }

  /** The Client Identifier of another session, which nobody can guess. */
  create(): string {
    return `${READER}${this.#mark}${hex(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))}`;
  }

  /** What the id of an event says, if it is of such a reader. */
  parse(id: string): Place | undefined {
    const [, session, number] = /^([\da-f]{48})\.(\d{1,5})$/.exec(id) ?? [];
    const packetIdentifier = Number(number);
    if (!session?.startsWith(this.#mark) || !(packetIdentifier >= 1 && packetIdentifier <= 65_535)) return undefined;
    return { clientId: READER + session, packetIdentifier };
  }
}

/** The id of an event. */
export function idOf({ clientId, packetIdentifier }: Place): string {
  return `${clientId.slice(READER.length)}.${packetIdentifier}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** No client has such an identifier but by a call of the Worker's own code. */
export const READER = '$sse/';

const MARK_BYTES = 8;
const RANDOM_BYTES = 16;
