// A MessagePort as a transport. Beside bytes it carries what browsers do not tell of a port: that the other side has closed it, could
// not serve it, or is gone. A message costs the same however long it is: so what is sent while others wait to be heard goes as one.

import { alone } from './alone.js';
import { attempt, MqttError } from './error.js';
import { letProcessEnd } from './timer.js';
import type { MessagePortLike, Transport } from './transport.js';

export class PortTransport implements Transport {
  onmessage: Transport['onmessage'] = null;
  onclose: Transport['onclose'] = null;
  readonly #port: MessagePortLike;
  #isClosed = false;
  /** What is to be sent once this turn is over, if anything was sent in it. */
  #waiting: Uint8Array<ArrayBuffer>[] | undefined;
  #waitingBytes = 0;
  /** Gives back the lock that shows that this side is there. */
  #release = () => {};

  constructor(port: MessagePortLike) {
    this.#port = port;
    port.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    port.addEventListener?.('close', () => this.onclose?.()); // in Node
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#waiting && !isLeaving) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > ENOUGH) this.#sendWaiting();
      return;
    }
    this.#post(bytes);
    if (this.#waiting) return;
    this.#waiting = [];
    afterTurn(() => this.#turnIsOver());
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

  #post(bytes: Uint8Array<ArrayBuffer>): void {
    const own = alone(bytes);
    this.#port.postMessage(own, [own.buffer]);
  }

  /** As long as there is much to send, it is sent once a turn. */
  #turnIsOver(): void {
    try {
      if (this.#sendWaiting()) return afterTurn(() => this.#turnIsOver());
      this.#waiting = undefined;
    } catch {
      this.#end();
      this.onclose?.();
    }
  }

  #sendWaiting(): boolean {
    const waiting = this.#waiting?.splice(0) ?? [];
    this.#waitingBytes = 0;
    const [first, ...others] = waiting;
    if (first) this.#post(others.length > 0 ? joined(waiting) : first);
    return first !== undefined;
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
    this.#sendWaiting();
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

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Calls `task` behind the messages of ports that have come already. */
function afterTurn(task: () => void): void {
  if (tasks.push(task) > 1) return;
  bell ??= newBell();
  bell.postMessage(null);
}

/** A port that rings when its turn comes among the others. */
function newBell(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = endTurn;
  letProcessEnd(port2);
  // A page that is left has no other turn.
  globalThis.addEventListener?.('pagehide', () => {
    isLeaving = true;
    endTurn();
  });
  globalThis.addEventListener?.('pageshow', () => (isLeaving = false));
  return port1;
}

function endTurn(): void {
  for (const task of tasks.splice(0)) attempt(task);
}

/** Bytes that wait for no more. */
const ENOUGH = 65_536;

const tasks: (() => void)[] = [];
let bell: MessagePort | undefined;
let isLeaving = false;

/** There are none in pages that came over HTTP from elsewhere. */
function locks(): LockManager | undefined {
  return globalThis.navigator?.locks;
}
