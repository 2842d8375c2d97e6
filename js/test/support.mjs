// What several tests need: a connection that a test speaks itself, and a clock that a test sets.

import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Broker } from 'mqlite/broker';

/** A test with a broker of its own, which is closed whatever happens. */
export function withBroker(name, body, options = {}) {
  test(name, async (context) => {
    const broker = await Broker.open(options);
    context.after(() => broker.close());
    await body(broker, context);
  });
}

/** A transport whose other end is the test: bytes are written as hexadecimal digits. */
export class RawTransport {
  onmessage = null;
  onclose = null;
  /** What was sent to the test since it last listened. */
  #heard = '';
  closed = false;

  send(bytes) {
    if (bytes.length === 0) throw new Error('An empty message was sent.');
    this.#heard += Buffer.from(bytes).toString('hex');
  }

  close() {
    this.closed = true;
  }

  say(hex) {
    this.onmessage?.({ data: Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')) });
  }

  hear() {
    const heard = this.#heard;
    this.#heard = '';
    return heard;
  }
}

/** A client of the broker that a test speaks itself, connected with MQTT 5 or 3.1.1. */
export function rawClient(broker, version = 5) {
  const transport = new RawTransport();
  broker.accept(transport);
  transport.say(version === 5 ? '100d00044d5154540502000000' + '00' + '00' : '100c00044d515454040200000000');
  const connack = transport.hear();
  if (!connack.startsWith('20')) throw new Error(`Heard "${connack}" instead of a CONNACK.`);
  return transport;
}

/** Time that stands still until a test moves it; it is the `clock` and the `timer` of one broker or client. */
export class Time {
  now = 1_000_000_000_000;
  #due;

  options() {
    return { clock: () => this.now, timer: this };
  }

  set(at, call) {
    this.#due = { at, call };
  }

  clear() {
    this.#due = undefined;
  }

  pass(milliseconds) {
    this.now += milliseconds;
    while (this.#due && this.#due.at <= this.now) {
      const { call } = this.#due;
      this.#due = undefined;
      call();
    }
  }
}

/** Lets everything happen that is under way within this program: turns of the event loop, however long each takes. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What a file of src/ exports, for one that is no part of the public interface and needs no WebAssembly. */
export async function source(file) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${file}`, import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** Resolves when `condition` holds. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
