// The promises of messages of QoS 0 that go to the engine together: most often all of them come true when it has returned.

import type { MqttError } from './error.js';
import type { Answer } from './outcome.js';

/** Messages, by the tokens of their requests. */
export class Volley {
  readonly #tokens: number[] = [];
  readonly #topics: string[] = [];
  /** What has come of those that are not simply handed over. */
  #others: Map<number, () => Promise<Answer>> | undefined;
  #next = 0;
  /** How many the engine has said nothing of yet. */
  #open = 0;
  #end: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));
  /** Is called for one promise after the other, in the order in which they were made. */
  readonly #settle = (): Answer | Promise<Answer> => {
    const token = this.#tokens[this.#next] as number;
    this.#next += 1;
    return this.#others?.get(token)?.() ?? { reason: SUCCESS };
  };

  /** One more message. */
  add(token: number, topic: string): Promise<Answer> {
    this.#tokens.push(token);
    this.#topics.push(topic);
    this.#open += 1;
    return this.#ended.then(this.#settle);
  }

  /** One message more is done. */
  done(): void {
    this.#open -= 1;
  }

  /** This message came to nothing. */
  fail(token: number, error: MqttError): void {
    this.#open -= 1;
    this.#others ??= new Map();
    this.#others.set(token, () => Promise.reject(error));
  }

  /** The engine has returned. `waits` says which messages are not done, and gives the promise of each. */
  end(waits: (token: number, topic: string) => Promise<Answer> | undefined): void {
    if (this.#open > 0) this.#part(waits);
    this.#end();
  }

  /** Gives those that are not done yet promises of their own. */
  #part(waits: (token: number, topic: string) => Promise<Answer> | undefined): void {
    for (const [index, token] of this.#tokens.entries()) {
      const later = waits(token, this.#topics[index] as string);
      if (!later) continue;
      this.#others ??= new Map();
      this.#others.set(token, () => later);
    }
  }
}

const SUCCESS = 0;
