// The same thing done again and again at its times, until it is enough or somebody stops it. Knows nothing of what it is.

import { type ReadonlySignal, signal } from '@preact/signals';

/** How far it is. `failed` says that the last time did not succeed, which ended it. */
export interface RepetitionState {
  readonly status: 'idle' | 'running' | 'done' | 'stopped' | 'failed';
  readonly done: number;
  /** `null`: without an end. */
  readonly count: number | null;
}

export interface RepetitionOptions {
  /** Milliseconds from one to the next. What takes longer than that is not hurried after for more than a second. */
  readonly every: number;
  /** `null`: until it is stopped. */
  readonly count: number | null;
}

/** One repetition at a time. */
export class Repetition {
  readonly #state = signal<RepetitionState>({ status: 'idle', done: 0, count: null });
  /** Counts the starts and stops, so that what was stopped ends itself. */
  #run = 0;
  #done = 0;
  #wake = () => {};

  get state(): ReadonlySignal<RepetitionState> {
    return this.#state;
  }

  /** Begins; `task` gets the number of times before, and resolves to whether it succeeded. Resolves when it is over. */
  async start(task: (done: number) => Promise<boolean>, { every, count }: RepetitionOptions): Promise<void> {
    this.stop();
    this.#run += 1;
    const run = this.#run;
    let due = performance.now();
    let shownAt = -Infinity;
    this.#state.value = { status: 'running', done: 0, count };
    for (let done = 0; count === null || done < count; done += 1) {
      await this.#until(due, done);
      if (run !== this.#run) return;
      const isDone = await task(done);
      if (run !== this.#run) return;
      if (!isDone) return this.#end('failed', done, count);
      if (performance.now() - shownAt > SHOWN) {
        shownAt = performance.now();
        this.#state.value = { status: 'running', done: done + 1, count };
      }
      this.#done = done + 1;
      due = Math.max(due + every, performance.now() - MOST_BEHIND);
    }
    this.#end('done', count ?? 0, count);
  }

  /** Ends it before the next time. */
  stop(): void {
    if (this.#state.value.status !== 'running') return;
    this.#run += 1;
    this.#wake();
    this.#end('stopped', this.#done, this.#state.value.count);
  }

  #end(status: RepetitionState['status'], done: number, count: number | null): void {
    this.#state.value = { status, done, count };
    this.#done = 0;
  }

  /** Waits for a time; where it is over already, only now and then, so that the page can be drawn. */
  #until(due: number, done: number): Promise<void> {
    const wait = due - performance.now();
    if (wait <= 0 && done % BREATH !== 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, wait));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Milliseconds between two changes of what is shown. */
const SHOWN = 100;
/** Milliseconds that it makes up for. */
const MOST_BEHIND = 1_000;
/** Times between two pauses. */
const BREATH = 20;
