// The last ones of many, by a name that a stranger may have chosen. Bounded: whoever was heard of longest ago is forgotten.

export class Recent<Value> {
  readonly #values = new Map<string, Value>();

  has(key: string): boolean {
    return this.#values.has(short(key));
  }

  get(key: string): Value | undefined {
    return this.#values.get(short(key));
  }

  set(key: string, value: Value): void {
    const name = short(key);
    this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size <= MAXIMUM_VALUES) return;
    for (const oldest of this.#values.keys()) return void this.#values.delete(oldest);
  }
}

/** What is longer is nobody's name. */
function short(key: string): string {
  return key.slice(0, 320);
}

const MAXIMUM_VALUES = 4_096;
