// What is to go wrong with a connection: packets lost or doubled, delays, cuts. Outlives the connections of its client.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { PacketName } from './packet-names.ts';
import type { Direction } from './wire-log.ts';

/** A packet that is about to go on. */
export interface JudgedPacket {
  readonly direction: Direction;
  readonly name: PacketName | undefined;
}

/** What becomes of the next packets of a kind. */
export interface FaultRule {
  readonly number: number;
  /** `cut` ends the connection in the packet's place. */
  readonly action: FaultAction;
  readonly direction: Direction;
  readonly packet: PacketName | 'any';
  /** How many more packets it is for. */
  readonly left: number;
}

export type FaultAction = (typeof FAULT_ACTIONS)[number];

export const FAULT_ACTIONS = ['drop', 'duplicate', 'cut'] as const;

/** What becomes of a packet: how often it goes on, and whether the connection ends there. */
export interface Judgement {
  readonly copies: 0 | 1 | 2;
  readonly isCut: boolean;
}

/** A connection that can be cut. */
export interface Cuttable {
  cut(): void;
}

/** The faults of one client. */
export class Faults {
  readonly #rules = signal<readonly FaultRule[]>([]);
  readonly #delay = { sent: signal(0), received: signal(0) };
  readonly #connections = new Set<Cuttable>();
  #last = 0;

  /** Those that are still to come, in the order in which they were asked for. */
  get rules(): ReadonlySignal<readonly FaultRule[]> {
    return this.#rules;
  }

  /** Whether anything is to go wrong. */
  get areAny(): boolean {
    return this.#rules.value.length > 0 || this.#delay.sent.value > 0 || this.#delay.received.value > 0;
  }

  /** Milliseconds that each packet is held up in this direction. */
  delay(direction: Direction): number {
    return this.#delay[direction].value;
  }

  /** From now on; at most a minute. */
  setDelay(direction: Direction, milliseconds: number): void {
    const whole = Number.isFinite(milliseconds) ? Math.round(milliseconds) : 0;
    this.#delay[direction].value = Math.min(LONGEST_DELAY, Math.max(0, whole));
  }

  /** For the next `times` packets of this kind. The rule, or `undefined` where there are too many already. */
  add(action: FaultAction, direction: Direction, packet: PacketName | 'any', times = 1): FaultRule | undefined {
    if (this.#rules.value.length >= MOST_RULES) return undefined;
    this.#last += 1;
    const rule = { number: this.#last, action, direction, packet, left: Math.max(1, Math.floor(times)) };
    this.#rules.value = [...this.#rules.value, rule];
    return rule;
  }

  remove(number: number): void {
    this.#rules.value = this.#rules.value.filter((rule) => rule.number !== number);
  }

  /** Nothing goes wrong any more. */
  clear(): void {
    this.#rules.value = [];
    this.#delay.sent.value = 0;
    this.#delay.received.value = 0;
  }

  /** Cuts the connection that there is, without a word to either side. Whether there was one. */
  cut(): boolean {
    const connections = [...this.#connections];
    for (const connection of connections) connection.cut();
    return connections.length > 0;
  }

  /** What becomes of this packet. The first rule that is for it counts, and is used up by it. */
  judge({ direction, name }: JudgedPacket): Judgement {
    const rules = this.#rules.value;
    const rule = rules.find((each) => each.direction === direction && (each.packet === 'any' || each.packet === name));
    if (!rule) return PASSES;
    const next = rule.left > 1 ? [{ ...rule, left: rule.left - 1 }] : [];
    this.#rules.value = rules.flatMap((each) => (each === rule ? next : [each]));
    if (rule.action === 'cut') return { copies: 0, isCut: true };
    return { copies: rule.action === 'drop' ? 0 : 2, isCut: false };
  }

  /** This connection is open, until `detach`. */
  attach(connection: Cuttable): void {
    this.#connections.add(connection);
  }

  detach(connection: Cuttable): void {
    this.#connections.delete(connection);
  }
}

const PASSES: Judgement = { copies: 1, isCut: false };

const MOST_RULES = 50;

/** Milliseconds. */
export const LONGEST_DELAY = 60_000;
