// What is to go wrong, and for which packets.

import { checked, type ShapeOf } from '../check.js';
import { MqttError } from '../error.js';
import { mustBeWhole } from './check.js';
import { type PacketChoice, type TracedPacket, toPredicate } from './filter.js';

/** When a fault happens to a packet that is meant. */
export interface FaultOptions {
  /** How often, at most. Default without end, until `end()`. */
  times?: number;
  /** How many of these packets come through first. Default 0. */
  after?: number;
  /** How likely it is, from 0 to 1; the `seed` decides. Default 1. */
  chance?: number;
}

/** How a connection is cut. */
export interface CutOptions extends FaultOptions {
  /** Before the packet, in the midst of its bytes, or behind it. Default `before`. */
  where?: 'before' | 'middle' | 'after';
}

/** Something that goes wrong, until it is ended. */
export class Fault implements Disposable {
  /** How often it has happened. */
  count = 0;
  readonly #end: () => void;

  /** @internal */
  constructor(end: () => void) {
    this.#end = end;
  }

  /** It happens no more. */
  end(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** What becomes of one packet. */
export interface Fate {
  copies: number;
  /** Milliseconds. */
  delay: number;
  cut: CutOptions['where'] | undefined;
  /** In words, if it is not what is usual. */
  said: string[];
}

type Change = (fate: Fate) => void;

interface Rule {
  readonly isMeant: (packet: TracedPacket) => boolean;
  readonly change: Change;
  readonly fault: Fault;
  readonly times: number;
  readonly chance: number;
  /** Packets that come through first. */
  left: number;
}

export class Faults {
  readonly #random: () => number;
  readonly #rules = new Set<Rule>();

  constructor(random: () => number) {
    this.#random = random;
  }

  drop(choice: PacketChoice, options: FaultOptions): Fault {
    return this.#add(choice, checked(options, FAULT_OPTIONS), (fate) => {
      fate.copies = 0;
      fate.said.push('dropped');
    });
  }

  duplicate(choice: PacketChoice, options: FaultOptions): Fault {
    return this.#add(choice, checked(options, FAULT_OPTIONS), (fate) => {
      fate.copies += fate.copies === 0 ? 0 : 1;
      fate.said.push('twice');
    });
  }

  delay(choice: PacketChoice, milliseconds: number | readonly [least: number, most: number], options: FaultOptions): Fault {
    if (typeof milliseconds !== 'number' && !(Array.isArray(milliseconds) && milliseconds.length === 2)) {
      throw new MqttError('invalid-options', 'milliseconds must be a whole number, or a range of two.');
    }
    const [least, most] = typeof milliseconds === 'number' ? [milliseconds, milliseconds] : milliseconds;
    mustBeWhole('milliseconds', least);
    mustBeWhole('milliseconds', most, { least });
    return this.#add(choice, checked(options, FAULT_OPTIONS), (fate) => {
      const delay = least + Math.floor(this.#random() * (most - least + 1));
      fate.delay += delay;
      fate.said.push(`delayed by ${delay} ms`);
    });
  }

  cut(choice: PacketChoice, options: CutOptions): Fault {
    const { where = 'before', ...rest } = checked(options, CUT_OPTIONS);
    if (!WHERE.includes(where)) throw new MqttError('invalid-options', `where must be one of ${WHERE.join(', ')}.`);
    return this.#add(choice, rest, (fate) => {
      fate.cut = where;
      fate.said.push(where === 'middle' ? 'cut in the middle' : `cut ${where} it`);
    });
  }

  /** What becomes of a packet that is about to go on. */
  judge(packet: TracedPacket): Fate {
    const fate: Fate = { copies: 1, delay: 0, cut: undefined, said: [] };
    for (const rule of this.#rules) {
      if (!rule.isMeant(packet)) continue;
      if (rule.left > 0) {
        rule.left -= 1;
        continue;
      }
      if (rule.chance < 1 && this.#random() >= rule.chance) continue;
      rule.change(fate);
      rule.fault.count += 1;
      if (rule.fault.count === rule.times) this.#rules.delete(rule);
    }
    return fate;
  }

  end(): void {
    this.#rules.clear();
  }

  #add(choice: PacketChoice, { times = Number.POSITIVE_INFINITY, after = 0, chance = 1 }: FaultOptions, change: Change): Fault {
    if (times !== Number.POSITIVE_INFINITY) mustBeWhole('times', times, { least: 1 });
    mustBeWhole('after', after);
    if (!(chance >= 0 && chance <= 1)) throw new MqttError('invalid-options', 'chance must be a number from 0 to 1.');
    if (this.#rules.size === MOST_RULES) {
      throw new MqttError('invalid-options', `There are ${MOST_RULES} faults already.`, { hint: 'End those that are not needed any more.' });
    }
    const isMeant = toPredicate(choice);
    const rule: Rule = { isMeant, change, fault: new Fault(() => void this.#rules.delete(rule)), times, chance, left: after };
    this.#rules.add(rule);
    return rule.fault;
  }
}

/** Numbers from 0 to less than 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // A Weyl sequence, its steps mixed by the finalizer of MurmurHash3.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

const FAULT_OPTIONS: ShapeOf<FaultOptions> = { times: 'number', after: 'number', chance: 'number' };

const CUT_OPTIONS: ShapeOf<CutOptions> = { ...FAULT_OPTIONS, where: 'text' };

const WHERE: readonly CutOptions['where'][] = ['before', 'middle', 'after'];

const MOST_RULES = 1_000;
