// The query of an address, checked: what nobody asks about is a mistake, and so is what is said twice.

import { Failure } from './failure.js';

/** The parameters of one request. */
export class Query {
  readonly #parameters: URLSearchParams;

  /**
   * `once` may be there once, `often` more than once.
   * @throws Failure that names what else is there.
   */
  constructor(address: string, once: readonly string[] = [], often: readonly string[] = []) {
    this.#parameters = new URL(address).searchParams;
    for (const name of new Set(this.#parameters.keys())) {
      if (often.includes(name)) continue;
      if (!once.includes(name)) throw new Failure(400, `There is no parameter ${quoted(name)} here${known([...once, ...often])}.`);
      if (this.#parameters.getAll(name).length > 1) throw new Failure(400, `The parameter "${name}" is there twice, and may be there once.`);
    }
  }

  /** What is not empty; `undefined` when it is absent. */
  text(name: string): string | undefined {
    const value = this.#parameters.get(name);
    if (value === '') throw new Failure(400, `The parameter "${name}" is empty.`);
    return value ?? undefined;
  }

  /** What must be there. */
  needed(name: string): string {
    return this.text(name) ?? fail(400, `The parameter "${name}" is missing.`);
  }

  /** From one to so many. */
  list(name: string, most: number): string[] {
    const values = this.#parameters.getAll(name);
    if (values.length === 0) throw new Failure(400, `The parameter "${name}" is missing.`);
    if (values.length > most) throw new Failure(400, `The parameter "${name}" may be there ${most} times at most.`);
    if (values.includes('')) throw new Failure(400, `The parameter "${name}" is empty.`);
    return values;
  }

  /** A whole number within these bounds; `undefined` when it is absent. */
  number(name: string, least: number, most: number): number | undefined {
    const text = this.#parameters.get(name);
    if (text === null) return undefined;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most) throw new Failure(400, `The parameter "${name}" must be a whole number from ${least} to ${most}.`);
    return value;
  }

  /** One of these; the first one when it is absent. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const text = this.#parameters.get(name) ?? choices[0];
    return choices.find((choice) => choice === text) ?? fail(400, `The parameter "${name}" must be ${choices.join(' or ')}.`);
  }
}

function fail(status: number, sentence: string): never {
  throw new Failure(status, sentence);
}

/** Somebody's text in a sentence: not all of a long one. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function known(names: readonly string[]): string {
  return names.length === 0 ? '' : `: there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
}
