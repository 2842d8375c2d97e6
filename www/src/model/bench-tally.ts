// What a measurement has counted. Knows nothing of MQTT.

import { Quantiles } from './quantiles.ts';

/** A part of a second of a measurement; durations in milliseconds, `null` where none was measured. */
export interface BenchPoint {
  /** Seconds since the beginning. */
  readonly time: number;
  /** A second. */
  readonly rate: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Counts from the beginning to the end; what comes later is late. */
export class Tally {
  readonly durations = new Quantiles();
  readonly points: BenchPoint[] = [];
  readonly #recent = new Quantiles();
  #began = 0;
  #ended: number | null = null;
  #last = 0;
  #lastCounted = 0;

  /** Operations begun: CONNECTs, SUBSCRIBEs, or messages published. */
  sent = 0;
  /** Publications that the server acknowledged, late ones too. */
  acknowledged = 0;
  /** What the rate is of: done before the end. */
  counted = 0;
  /** Done after the end. */
  late = 0;
  /** Operations that were due but had to wait, at the end. */
  behind = 0;

  begin(now: number): void {
    this.#began = this.#last = now;
  }

  end(now: number): void {
    if (this.#ended !== null) return;
    this.sample(now);
    this.#ended = now;
  }

  /** Seconds measured so far. */
  elapsed(now: number): number {
    return ((this.#ended ?? now) - this.#began) / 1_000;
  }

  /** So many are done; `since` is when the one that is measured was due. */
  done(count: number, since?: number, now = performance.now()): void {
    if (this.#ended !== null) {
      this.late += count;
      return;
    }
    this.counted += count;
    if (since === undefined) return;
    this.durations.add(now - since);
    this.#recent.add(now - since);
  }

  /** Makes a point of what came since the last. */
  sample(now: number): void {
    const seconds = (now - this.#last) / 1_000;
    if (seconds < SHORTEST || this.#ended !== null) return;
    const recent = this.#recent;
    const rate = (this.counted - this.#lastCounted) / seconds;
    this.points.push({ time: (now - this.#began) / 1_000, rate, p50: recent.at(0.5), p95: recent.at(0.95), p99: recent.at(0.99) });
    this.#last = now;
    this.#lastCounted = this.counted;
    recent.clear();
  }
}

/** Seconds: the rate of less says nothing. */
const SHORTEST = 0.1;
