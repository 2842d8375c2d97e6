// A MessagePort as a transport. Beside bytes it carries what browsers do not tell of a port: that the other side has closed it, could
// not serve it, or is gone.

import { MqttError } from './error.js';
import type { MessagePortLike, Transport } from './transport.js';

export class PortTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  readonly #port: MessagePortLike;
  #isClosed = false;
  /** Gives back the lock that shows that this side is there. */
  #release = () => {};

  constructor(port: MessagePortLike) {
    this.#port = port;
    port.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    port.addEventListener?.('close', () => this.onclose?.()); // in Node
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#port.postMessage(bytes, [bytes.buffer]);
  }

  close(): void {
    this.#say(null);
    this.#end();
  }

  /** Closes it, and tells the other side why. */
  fail({ code, message, hint, reason }: MqttError): void {
    this.#say({ type: 'failed', code, message, hint, reason });
    this.#end();
  }

  /** Has the other side hold a lock, which its browser takes from it when it goes, whether it closes, crashes or leaves the page. */
  watch(): void {
    if (locks()) this.#say({ type: 'hold', lock: crypto.randomUUID() });
  }

  #receive(data: unknown): void {
    const said = (data ?? { type: 'closed' }) as Said;
    switch (said.type) {
      case 'closed':
        this.#end();
        return this.onclose?.();
      case 'failed':
        this.#end();
        return this.onclose?.(new MqttError(said.code, said.message, said));
      case 'hold':
        return this.#hold(said.lock);
      case 'held':
        return this.#take(said.lock, () => this.onclose?.());
      default:
        return this.onmessage?.({ data });
    }
  }

  #hold(lock: string): void {
    this.#take(lock, () => {
      if (this.#isClosed) return undefined;
      this.#say({ type: 'held', lock });
      return new Promise<void>((resolve) => (this.#release = resolve));
    });
  }

  /** Where locks are refused, as in frames in a sandbox, the Keep Alive must do. */
  #take(lock: string, held: () => Promise<void> | void): void {
    locks()?.request(lock, held).catch(() => {});
  }

  #say(what: Said | null): void {
    this.#port.postMessage(what, []);
  }

  #end(): void {
    this.#isClosed = true;
    this.#release();
    this.#port.close();
  }
}

/** What one side says to the other. */
type Said =
  | { type: 'closed' }
  | { type: 'failed'; code: MqttError['code']; message: string; hint: string | undefined; reason: number | undefined }
  | { type: 'hold' | 'held'; lock: string }
  /** Bytes. */
  | { type?: never };

/** There are none in pages that came over HTTP from elsewhere. */
function locks(): LockManager | undefined {
  return globalThis.navigator?.locks;
}
