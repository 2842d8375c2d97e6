// One level of a topic, with what came on it and below it. Knows nothing of the tree's limits or of how it is shown.

import type { LoggedMessage } from './message.ts';
import { Ring } from './ring.ts';

/** A level of the tree: `sensor`, or `10` below it. */
export class TopicNode {
  /** This level alone. */
  readonly name: string;
  /** All levels from the first to this one. */
  readonly topic: string;
  readonly parent: TopicNode | null;
  /** 1 for a first level, 0 for the root that holds them. */
  readonly level: number;
  /** The latest messages on this topic itself, oldest first. */
  readonly history: Ring<LoggedMessage>;
  /** The latest message on this topic itself. A small one stays when the history gives it up; of a large one this is `null` then. */
  last: LoggedMessage | null = null;
  /** Messages on this topic itself. */
  count = 0;
  /** Whether the broker said that it keeps a message of this topic. */
  retained = false;
  /** Messages here and below. */
  total = 0;
  /** Bytes of payloads here and below. */
  bytes = 0;
  /** Topics here and below that a message came on. */
  topics = 0;
  /** Topics here and below whose message the broker keeps. */
  retainedTopics = 0;
  /** Messages of the history that gave way to others of this topic, but still stand in the tree's queue. */
  overtaken = 0;
  #children: Map<string, TopicNode> | undefined;
  readonly #sorted: TopicNode[] = [];
  #rate = 0;
  #rateAt = 0;

  constructor(parent: TopicNode | null, name: string, historyLength: number) {
    this.name = name;
    this.parent = parent;
    this.level = parent ? parent.level + 1 : 0;
    this.topic = parent && parent.level > 0 ? `${parent.topic}/${name}` : name;
    this.history = new Ring(historyLength);
  }

  /** The next levels, `2` before `10`. */
  get children(): readonly TopicNode[] {
    return this.#sorted;
  }

  /** Messages a second here and below, over the last seconds. */
  rate(now: number): number {
    return this.#rate * Math.exp(-Math.max(0, now - this.#rateAt) / WINDOW);
  }

  child(name: string): TopicNode | undefined {
    return this.#children?.get(name);
  }

  add(child: TopicNode): void {
    (this.#children ??= new Map()).set(child.name, child);
    this.#sorted.splice(this.#place(child.name), 0, child);
  }

  /** Counts a message that came here or below. */
  counted(message: LoggedMessage): void {
    this.total += 1;
    this.bytes += message.payload.byteLength;
    this.#rate = this.rate(message.time) + 1000 / WINDOW;
    this.#rateAt = Math.max(this.#rateAt, message.time);
  }

  /** Where a name belongs among the children. */
  #place(name: string): number {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (order(this.#sorted[middle]!.name, name) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function order(one: string, other: string): number {
  return collator.compare(one, other) || (one < other ? -1 : 1);
}

const collator = new Intl.Collator('en', { numeric: true });

/** Milliseconds: what is longer ago weighs less than a third. */
const WINDOW = 5_000;
