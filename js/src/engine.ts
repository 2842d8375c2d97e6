// Feeds the engines of the WebAssembly, in which the rules live, one input at a time.

import { type Artefact, isTrap, toMqttError } from './artefact.js';
import { attempt, MqttError, report } from './error.js';
import type { Clock, Timer } from './timer.js';

/**
 * The host as an engine is to hold it. The WebAssembly lives as long as the program, and what it holds does too: so a broker that
 * nobody can reach any more, such as that of a Durable Object that sleeps, goes, and its engine with it.
 */
export function weakly<H extends object>(host: H): H {
  const reference = new WeakRef(host);
  const call = (name: string) => (...values: unknown[]) =>
    (reference.deref() as Record<string, (...values: unknown[]) => unknown> | undefined)?.[name]?.(...values);
  return Object.fromEntries(Object.keys(host).map((name) => [name, call(name)])) as H;
}

interface Engine {
  deadline(): number | undefined;
  timeout(now: number): void;
  free(): void;
}

/** Something for an engine to do; `refuse` is called instead when it is not to be. */
export interface Input<E> {
  run(engine: E, now: number): void;
  refuse?(error: MqttError): void;
  /** Whether it tells a new engine what an earlier one knew: one that takes the place of this one is told anew. */
  readonly isTold?: boolean;
  /** Whether others may come before it. */
  readonly canWait?: boolean;
}

/** Feeds an engine one input at a time, whoever has one to give, and wakes it when its deadline has passed. */
export class Runner<E extends Engine> {
  #engine: E;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #failed: (error: MqttError) => void;
  readonly #revive: RunnerOptions<E>['revive'];
  #inputs: Input<E>[] = [];
  readonly #deferred: (() => void)[] = [];
  readonly #artefact: Artefact;
  #instance: number;
  #running = false;
  /** How many engines are to take the place of this one: inputs wait for the last. */
  #awaited = 0;
  /** The last of these. */
  #successor: Promise<unknown> = Promise.resolve();
  /** Whether the engine has done anything since it took the place of another. */
  #isProven = true;
  /** Whether the engine is in a call: if that failed, it is so for ever. */
  #isBusy = false;
  #over: MqttError | undefined;
  #deadline: number | undefined;

  /** `failed` is called once, if the engine fails and is not revived: there is no input to be taken any more. */
  constructor(engine: E, { artefact, clock, timer, failed, revive }: RunnerOptions<E>) {
    this.#engine = engine;
    this.#artefact = artefact;
    this.#instance = artefact.instance;
    this.#clock = clock;
    this.#timer = timer;
    this.#failed = failed;
    this.#revive = revive;
    if (!revive) artefact.add(this);
  }

  /** Gives the engine an input: now, or after the one that it is busy with. If it is over, `refuse` is called. */
  feed(run: (engine: E, now: number) => void, refuse?: (error: MqttError) => void): void {
    this.give(refuse ? { run, refuse } : { run });
  }

  /** The same, of an input as a whole. */
  give(input: Input<E>): void {
    if (this.#over) return input.refuse?.(this.#over);
    this.#inputs.push(input);
    this.#run();
  }

  /**
   * Gives the engine an input soon: before any other that comes from now on, and at the latest when the code that runs now is over.
   * Much can gather for it until then.
   */
  giveSoon(input: Input<E>): void {
    if (this.#over) return input.refuse?.(this.#over);
    this.#inputs.push(input);
    if (!this.#running) queueMicrotask(() => this.#run());
  }

  /** Whether an input waits, and none was given after it but for such as can wait. */
  isLast(input: Input<E>): boolean {
    if (this.#inputs.at(-1) === input) return true;
    return this.#inputs.findLast((other) => other === input || !other.canWait) === input;
  }

  /** Tells the engine what an earlier one knew, as a whole. */
  tell(inputs: Input<E>[]): void {
    this.#inputs.push(...inputs.map((input) => ({ ...input, isTold: true })));
    this.#run();
  }

  /** Gives the engine an input that it may refuse. */
  attempt<T>(input: (engine: E, now: number) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (engine: E, now: number) => {
        try {
          resolve(input(engine, now));
        } catch (error) {
          if (isTrap(error)) throw error;
          reject(toMqttError(error));
        }
      };
      this.give({ run, refuse: reject });
    });
  }

  #run(): void {
    if (this.#running || this.#awaited > 0) return;
    if (!this.#isAlive) return this.broke(new MqttError('broken', 'The WebAssembly instance failed.'));
    this.#running = true;
    let next: Input<E> | undefined;
    try {
      while (this.#awaited === 0 && (next = this.#inputs.shift())) {
        const now = this.#clock();
        this.#isBusy = true;
        next.run(this.#engine, now);
        this.#isBusy = false;
        this.#isProven ||= !next.isTold;
        this.#runDeferred();
      }
      this.#arm();
    } catch (cause) {
      const what = this.#isBusy ? 'The WebAssembly instance' : 'The clock or the timer';
      const error = new MqttError('broken', `${what} failed.`, { cause, hint: 'Open a new one.' });
      next?.refuse?.(error);
      if (!this.#isBusy || !isTrap(cause)) return this.fail(error);
      this.#artefact.renew(error);
      if (this.#revive) this.broke(error);
    } finally {
      this.#running = false;
    }
  }

  /** The engine's instance is gone: another engine takes its place, unless it was one that took the place and did nothing. */
  broke(error: MqttError): void {
    if (this.#over || this.#awaited > 0) return;
    if (!this.#revive || !this.#isProven) return this.fail(error);
    this.#isProven = false;
    this.replace(this.#revive).catch((cause: unknown) => this.fail(cause instanceof MqttError ? cause : error));
  }

  /** Lets another engine take the place of this one, and of those that are to before. While that is prepared, inputs wait. */
  replace(prepare: () => Promise<() => Successor<E>>): Promise<void> {
    const before = this.#awaited > 0 ? this.#successor.catch(() => {}) : undefined;
    this.#awaited += 1;
    const replaced = (async () => {
      try {
        await before;
        const make = await prepare();
        if (this.#over) throw this.#over;
        this.#take(this.#artefact.refusing(make));
      } finally {
        this.#awaited -= 1;
        this.#run();
      }
    })();
    this.#successor = replaced;
    return replaced;
  }

  /** Whether the instance that the engine is of has not failed. */
  get #isAlive(): boolean {
    return this.#instance === this.#artefact.instance;
  }

  #take({ engine, inputs }: Successor<E>): void {
    if (this.#isAlive && !this.#isBusy) this.#engine.free();
    this.#engine = engine;
    this.#instance = this.#artefact.instance;
    this.#isBusy = false;
    this.#inputs = [...inputs.map((input) => ({ ...input, isTold: true })), ...this.#inputs.filter(({ isTold }) => !isTold)];
  }

  /** The engine is of no use any more. */
  fail(error: MqttError): void {
    if (this.#over) return;
    this.end(error);
    this.#failed(error);
  }

  /** Runs `task`, which may be the user's code, as soon as the engine is not busy: during its calls it must not be called. */
  defer(task: () => void): void {
    this.#deferred.push(task);
    if (!this.#running) this.#runDeferred();
  }

  /** Takes no input any more; who tries is told `reason`. */
  end(reason: MqttError): void {
    if (this.#over) return;
    this.free(reason);
    attempt(() => this.#timer.clear());
  }

  /** The same, but for the timer, which is left as it is. */
  free(reason: MqttError): void {
    if (this.#over) return;
    this.#over = reason;
    this.#artefact.delete(this);
    for (const { refuse } of this.#inputs.splice(0)) refuse?.(reason);
    // Garbage collection would come late: it does not know how much memory the engine has.
    queueMicrotask(() => !this.#isBusy && this.#isAlive && this.#engine.free());
  }

  /**
   * Notices what became of the engine.
   * @throws MqttError that says why no input is taken any more.
   */
  mustGoOn(): void {
    this.#run();
    if (this.#over) throw this.#over;
  }

  /**
   * Looks at the engine.
   * @throws MqttError `busy`, `broken`, or why it takes no input any more.
   */
  look<T>(at: (engine: E) => T): T {
    this.mustGoOn();
    if (this.#isBusy || this.#awaited > 0) {
      throw new MqttError('busy', 'The engine is busy just now.', { hint: 'Call later, from a promise.' });
    }
    return this.#artefact.refusing(() => at(this.#engine));
  }

  #runDeferred(): void {
    for (let task = this.#deferred.shift(); task; task = this.#deferred.shift()) {
      try {
        task();
      } catch (error) {
        report(error);
      }
    }
  }

  #arm(): void {
    if (this.#over || this.#awaited > 0) return;
    const deadline = this.#engine.deadline();
    if (deadline === this.#deadline) return;
    this.#deadline = deadline;
    if (deadline === undefined) return this.#timer.clear();
    this.#timer.set(deadline, () => {
      this.#deadline = undefined;
      this.feed((engine, now) => engine.timeout(now));
    });
  }
}

interface RunnerOptions<E> {
  /** What the engine is of. */
  artefact: Artefact;
  clock: Clock;
  timer: Timer;
  failed: (error: MqttError) => void;
  /** Makes another engine after the instance of the first has failed. */
  revive?: () => Promise<() => Successor<E>>;
}

/** An engine that takes the place of another. */
export interface Successor<E> {
  engine: E;
  /** What it hears before all that waits. */
  inputs: Input<E>[];
}
