// Which levels of a tree are in sight, top to bottom: what is unfolded, or what a filter finds. Knows nothing of how they are shown.

import { contains, matches } from './find.ts';
import type { LoggedMessage } from './message.ts';
import type { TopicNode } from './topic-node.ts';
import type { TopicTree } from './topic-tree.ts';

/** What is looked for. An empty text finds all. */
export interface TreeFilter {
  /** A part of the topic, or a Topic Filter when it has wildcards. */
  topic: string;
  /** A part of the last payload, as text. */
  payload: string;
}

/** Where a row stands among those with the same parent, from 1. */
export interface Place {
  readonly position: number;
  readonly siblings: number;
}

/** The rows of a tree, and what a reader has folded. */
export class TopicRows {
  readonly #tree: TopicTree;
  #unfolded = new Set<TopicNode>();
  /** What was unfolded by itself is not again, after its reader has folded it. */
  readonly #touched = new WeakSet<TopicNode>();
  /** Folded while a filter is on, where all is unfolded to begin with. */
  readonly #foldedInFilter = new Set<TopicNode>();
  #filter: TreeFilter = { topic: '', payload: '' };
  /** What the filter finds with all levels before, and how many topics that are. */
  #found: { levels: Set<TopicNode>; topics: number } | null = null;
  /** Whether a payload has what is looked for: a large one takes long to read. */
  #read = new WeakMap<LoggedMessage, boolean>();
  #rows: readonly TopicNode[] | null = null;
  #places: readonly Place[] = [];
  #size = -1;
  #topics = -1;
  #root: TopicNode | null = null;

  constructor(tree: TopicTree) {
    this.#tree = tree;
  }

  get filter(): TreeFilter {
    return this.#filter;
  }

  set filter(filter: TreeFilter) {
    this.#filter = filter;
    this.#foldedInFilter.clear();
    this.#read = new WeakMap();
    this.refresh();
  }

  get isFiltered(): boolean {
    return this.#filter.topic !== '' || this.#filter.payload !== '';
  }

  /** Topics that the filter finds; `null` while there is none. */
  get found(): number | null {
    if (!this.isFiltered) return null;
    this.rows();
    return this.#found?.topics ?? 0;
  }

  /** The rows in sight. They are made anew only where the tree has grown, there are more topics to find, something was folded, or `refresh` was called. */
  rows(): readonly TopicNode[] {
    const tree = this.#tree;
    if (this.#root !== tree.root) this.#begin(tree.root);
    if (this.#size !== tree.size) {
      this.#size = tree.size;
      this.#unfoldSmall();
      this.refresh();
    }
    if (this.#topics !== tree.root.topics) {
      this.#topics = tree.root.topics;
      if (this.isFiltered) this.refresh();
    }
    return (this.#rows ??= this.#walk());
  }

  /** The place of a row that `rows` gave last. */
  place(index: number): Place {
    return this.#places[index] ?? { position: 1, siblings: 1 };
  }

  /** Looks anew for what the filter finds, as last payloads change. */
  refresh(): void {
    this.#found = null;
    this.#rows = null;
  }

  isUnfolded(node: TopicNode): boolean {
    return this.isFiltered ? !this.#foldedInFilter.has(node) : this.#unfolded.has(node);
  }

  /** Shows or hides what is below a level. */
  fold(node: TopicNode, unfolded: boolean): void {
    if (node.children.length === 0) return;
    const [set, isIn] = this.isFiltered ? [this.#foldedInFilter, !unfolded] : [this.#unfolded, unfolded];
    if (isIn) set.add(node);
    else set.delete(node);
    this.#rows = null;
  }

  /** Unfolds or folds every level below this one and itself. */
  foldAll(unfolded: boolean, from: TopicNode = this.#tree.root): void {
    for (const node of this.#tree.below(from)) this.fold(node, unfolded);
  }

  #begin(root: TopicNode): void {
    this.#root = root;
    this.#size = -1;
    this.#unfolded = new Set();
    this.#foldedInFilter.clear();
    this.refresh();
  }

  /** A tree that fits into a window is shown whole; a larger one is left to its reader. */
  #unfoldSmall(): void {
    if (this.#size > SMALL) return;
    for (const node of this.#tree.below()) {
      if (node.children.length === 0 || this.#touched.has(node)) continue;
      this.#touched.add(node);
      this.#unfolded.add(node);
    }
  }

  #walk(): TopicNode[] {
    if (this.isFiltered) this.#found ??= this.#find();
    const rows: TopicNode[] = [];
    const places: Place[] = [];
    const stack = this.#below(this.#tree.root);
    for (let top = stack.pop(); top; top = stack.pop()) {
      rows.push(top.node);
      places.push(top);
      if (this.isUnfolded(top.node)) for (const row of this.#below(top.node)) stack.push(row);
    }
    this.#places = places;
    return rows;
  }

  /** The next levels that may be seen, the last one first. */
  #below({ children }: TopicNode): (Place & { node: TopicNode })[] {
    const seen = this.#found ? children.filter((child) => this.#found!.levels.has(child)) : children;
    return seen.map((node, index) => ({ node, position: index + 1, siblings: seen.length })).reverse();
  }

  #find(): { levels: Set<TopicNode>; topics: number } {
    const levels = new Set<TopicNode>();
    let topics = 0;
    for (const node of this.#tree.below()) {
      if (!this.#isFound(node)) continue;
      topics += 1;
      for (let at: TopicNode | null = node; at && !levels.has(at); at = at.parent) levels.add(at);
    }
    return { levels, topics };
  }

  #isFound(node: TopicNode): boolean {
    const { topic, payload } = this.#filter;
    if (node.count === 0 || !matches(topic, node.topic)) return false;
    return payload === '' || (node.last !== null && this.#hasPayload(node.last, payload));
  }

  #hasPayload(message: LoggedMessage, text: string): boolean {
    let has = this.#read.get(message);
    if (has === undefined) this.#read.set(message, (has = contains(message.payload, text)));
    return has;
  }
}

/** Levels of a tree that unfolds by itself. */
const SMALL = 60;
