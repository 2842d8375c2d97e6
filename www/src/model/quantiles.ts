// How durations are spread, in little memory however many there are. Knows nothing of what took so long.

/** Counts durations in steps that grow with them: what it tells is at most 1.1 % too high, and never beyond the longest. */
export class Quantiles {
  readonly #counts = new Uint32Array(STEPS * OCTAVES);
  #count = 0;
  #most = 0;
  #sum = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The longest, exactly; 0 before the first. */
  get most(): number {
    return this.#most;
  }

  /** The mean, exactly; `NaN` before the first. */
  get mean(): number {
    return this.#sum / this.#count;
  }

  /** Adds one, in milliseconds. What is negative counts as 0. */
  add(milliseconds: number): void {
    const value = Math.max(0, milliseconds);
    this.#count += 1;
    this.#sum += value;
    if (value > this.#most) this.#most = value;
    this.#counts[stepOf(value)]! += 1;
  }

  /** What this part of them, from 0 to 1, did not exceed, in milliseconds; `null` when there are none. */
  at(part: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(part * this.#count));
    for (let step = 0; step < this.#counts.length; step += 1) {
      left -= this.#counts[step]!;
      if (left <= 0) return Math.min(topOf(step), this.#most);
    }
    return this.#most;
  }

  /** Forgets all. */
  clear(): void {
    this.#counts.fill(0);
    this.#count = this.#most = this.#sum = 0;
  }
}

/** The first step has all that is too short to be told from nothing, the last all that is too long. */
function stepOf(milliseconds: number): number {
  if (milliseconds <= LEAST) return 0;
  return Math.min(STEPS * OCTAVES - 1, Math.ceil(Math.log2(milliseconds / LEAST) * STEPS));
}

function topOf(step: number): number {
  return step === 0 ? LEAST : LEAST * 2 ** (step / STEPS);
}

/** Milliseconds. */
const LEAST = 0.001;
const STEPS = 64;
/** Up to some hours. */
const OCTAVES = 34;
