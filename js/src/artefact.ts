// A WebAssembly file and the glue that belongs to it: loaded once, and instantiated anew when an instance fails.

import { MqttError, type MqttErrorCode, sentence } from './error.js';
import type { WasmSource } from './options.js';

/** What the glue of every artefact has, beside its engines. */
export interface Glue {
  /** The name by which the package exports the WebAssembly that belongs to it. */
  readonly file: 'client.wasm' | 'broker.wasm';
  initSync(input: { module: WebAssembly.Module }): unknown;
  /** Makes another instance take the place of the one before. */
  reset(): void;
  reasonName(reason: number): string | undefined;
}

/** Tells where the WebAssembly comes from. It is asked when there is something to load, and not before. */
export type Source = () => WasmSource | PromiseLike<WasmSource>;

/** Who has an engine and wants to hear when its instance has failed. */
interface Dependant {
  broke(error: MqttError): void;
}

export class Artefact<G extends Glue = Glue> {
  readonly glue: G;
  #loading: Promise<void> | undefined;
  #instance = 0;
  readonly #dependants = new Set<Dependant>();

  constructor(glue: G) {
    this.glue = glue;
  }

  /** The number of the instance that new engines get. */
  get instance(): number {
    return this.#instance;
  }

  /**
   * Makes the engines usable. Loads once, from whichever source is named first.
   * @throws MqttError `unsupported`, or what the source says.
   */
  load(source: Source): Promise<void> {
    this.#loading ??= this.#instantiate(source).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** `0x87 Not authorized`. */
  describeReason(reason: number): string {
    return `0x${reason.toString(16).padStart(2, '0')} ${this.glue.reasonName(reason) ?? ''}`.trimEnd();
  }

  /**
   * What `make` makes with an engine.
   * @throws MqttError that says what was wrong with what the engine was given.
   */
  refusing<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!isTrap(error)) throw toMqttError(error);
      const broken = new MqttError('broken', 'The WebAssembly instance failed.', { cause: error });
      this.renew(broken);
      throw broken;
    }
  }

  /** `dependant` hears when the instance fails, until it is deleted. */
  add(dependant: Dependant): void {
    this.#dependants.add(dependant);
  }

  delete(dependant: Dependant): void {
    this.#dependants.delete(dependant);
  }

  /**
   * All engines of the instance end with it, and new ones get a new instance. Those that are revived are no dependants, and notice
   * when they have something to do: their storages may be out of reach from here, as that of another Durable Object is.
   */
  renew(error: MqttError): void {
    this.#instance += 1;
    this.glue.reset();
    for (const dependant of [...this.#dependants]) dependant.broke(error);
  }

  async #instantiate(source: Source): Promise<void> {
    if (typeof WebAssembly !== 'object') {
      throw new MqttError('unsupported', 'This platform has no WebAssembly.', {
        hint: 'It may be switched off: by a lockdown mode, or by the strictest setting of the browser.',
      });
    }
    try {
      const module = await compile(await source());
      this.#mustBeOurs(module);
      this.glue.initSync({ module });
    } catch (cause) {
      if (cause instanceof MqttError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MqttError('unsupported', `The WebAssembly could not be loaded: ${why}`, {
        cause,
        hint: "A Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src.",
      });
    }
  }

  /**
   * The two files are easily mistaken for each other.
   * @throws MqttError `invalid-options`.
   */
  #mustBeOurs(module: WebAssembly.Module): void {
    const hasBroker = WebAssembly.Module.exports(module).some(({ name }) => name.startsWith('brokerengine_'));
    const { file } = this.glue;
    if (hasBroker === (file === 'broker.wasm')) return;
    throw new MqttError('invalid-options', `The option "wasm" must be the package's ${file} here.`);
  }
}

/** Where the WebAssembly comes from, if the option `wasm` was given. */
export function named(wasm: WasmSource | PromiseLike<WasmSource> | undefined, otherwise: Source): Source {
  return wasm === undefined ? otherwise : () => wasm;
}

/** The source of an entry that has none. */
export function unnamed(): never {
  throw new MqttError('invalid-options', 'This entry of the package has no WebAssembly of its own.', {
    hint: 'Name one with the option "wasm", such as fetch() of the file that the package exports as mqlite/client.wasm.',
  });
}

/** Engines name their errors by our codes. */
export function toMqttError(error: unknown): MqttError {
  if (error instanceof MqttError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  return new MqttError(name.includes('-') ? (name as MqttErrorCode) : 'invalid-options', sentence(message));
}

/** Whether the instance is unusable: what was on its stack stays there. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

function compile(source: WasmSource): WebAssembly.Module | Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  return source instanceof Response ? WebAssembly.compileStreaming(source) : WebAssembly.compile(source);
}
