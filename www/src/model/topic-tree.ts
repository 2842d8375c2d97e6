// Every topic of one connection, as a tree. Knows nothing of how it is shown.

import type { ReadonlySignal } from '@preact/signals';
import { FrameVersion } from './frame.ts';
import { type LoggedMessage, weight } from './message.ts';
import { Ring } from './ring.ts';
import { TopicNode } from './topic-node.ts';

/** How much a tree keeps. */
export interface TreeLimits {
  /** Levels of all topics together. What comes on further topics is counted as left out. Default 50,000. */
  nodes?: number;
  /** Characters of all topics, those of each level with what is before it. What comes on further ones is left out too. Default 16 million. */
  characters?: number;
  /** Messages in the history of one topic. Default 1,000. */
  history?: number;
  /** Messages in all histories together. Default 100,000. */
  messages?: number;
  /** Bytes of payloads, topics and properties in all histories together. Default 64 MiB. */
  bytes?: number;
}

/** Topics with what came on them. A message costs as many steps as its topic has levels. */
export class TopicTree {
  readonly limits: Required<TreeLimits>;
  #root: TopicNode;
  readonly #nodes = new Map<string, TopicNode>();
  /** Whose history the oldest message of all is in, and so on. */
  readonly #queue: Ring<TopicNode>;
  readonly #version = new FrameVersion();
  #historyBytes = 0;
  #characters = 0;
  #size = 0;
  #leftOut = 0;

  constructor({ nodes = NODES, characters = CHARACTERS, history = HISTORY, messages = MESSAGES, bytes = BYTES }: TreeLimits = {}) {
    this.limits = { nodes, characters, history, messages, bytes };
    this.#queue = new Ring(messages);
    this.#root = this.#newRoot();
  }

  /** What holds the first levels. It is no topic itself; its figures are those of all. */
  get root(): TopicNode {
    return this.#root;
  }

  /** Levels that are here: it changes when the shape of the tree does. */
  get size(): number {
    return this.#size;
  }

  /** Messages that stand nowhere in the tree, because it had no room for their topic. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Changes at most once a frame. */
  get version(): ReadonlySignal<number> {
    return this.#version.signal;
  }

  /** Counts a message that was received; one that was sent is none of the tree's. Its topic, or `null` where it stands nowhere. */
  insert(message: LoggedMessage): TopicNode | null {
    if (message.direction === 'sent') return null;
    this.#version.bump();
    const node = this.#nodes.get(message.topic) ?? this.#grow(message.topic);
    if (!node) {
      this.#leftOut += 1;
      return null;
    }
    if (node.count === 0) climb(node, (at) => void (at.topics += 1));
    node.count += 1;
    node.last = message;
    for (let at: TopicNode | null = node; at; at = at.parent) at.counted(message);
    if (message.retain) this.#retain(node, message.payload.byteLength > 0);
    this.#remember(node, message);
    return node;
  }

  /** The level of exactly this topic. */
  find(topic: string): TopicNode | undefined {
    return this.#nodes.get(topic);
  }

  /** Every level below this one and itself, parents first. */
  *below(node: TopicNode = this.root): Generator<TopicNode> {
    const stack = [node];
    for (let at = stack.pop(); at; at = stack.pop()) {
      if (at !== this.#root) yield at;
      for (let index = at.children.length - 1; index >= 0; index -= 1) stack.push(at.children[index]!);
    }
  }

  /** The broker keeps a message of this topic, or no longer does. */
  retain(topic: string, retained: boolean): void {
    const node = this.#nodes.get(topic);
    if (!node) return;
    this.#retain(node, retained);
    this.#version.bump();
  }

  clear(): void {
    this.#nodes.clear();
    this.#queue.clear();
    this.#root = this.#newRoot();
    this.#historyBytes = 0;
    this.#characters = 0;
    this.#size = 0;
    this.#leftOut = 0;
    this.#version.bump();
  }

  #newRoot(): TopicNode {
    return new TopicNode(null, '', 1);
  }

  /** The level of this topic with all before it, unless they are too many. */
  #grow(topic: string): TopicNode | null {
    let node = this.#root;
    for (const name of levels(topic)) {
      let child = node.child(name);
      if (!child) {
        if (this.#size >= this.limits.nodes) return null;
        child = new TopicNode(node, name, this.limits.history);
        if (this.#characters + child.topic.length > this.limits.characters) return null;
        this.#characters += child.topic.length;
        node.add(child);
        this.#nodes.set(child.topic, child);
        this.#size += 1;
      }
      node = child;
    }
    return node;
  }

  #retain(node: TopicNode, retained: boolean): void {
    if (node.retained === retained) return;
    node.retained = retained;
    climb(node, (at) => void (at.retainedTopics += retained ? 1 : -1));
  }

  #remember(node: TopicNode, message: LoggedMessage): void {
    this.#historyBytes += weight(message);
    const overtaken = node.history.push(message);
    if (overtaken) {
      this.#historyBytes -= weight(overtaken);
      node.overtaken += 1;
    }
    const eldest = this.#queue.push(node);
    if (eldest) this.#giveUp(eldest);
    while (this.#historyBytes > this.limits.bytes && this.#queue.length > 1) this.#giveUp(this.#queue.shift()!);
  }

  /** The oldest message of all goes, unless one of its own topic took its place before. */
  #giveUp(node: TopicNode): void {
    if (node.overtaken > 0) {
      node.overtaken -= 1;
      return;
    }
    const message = node.history.shift();
    if (!message) return;
    this.#historyBytes -= weight(message);
    if (message === node.last && weight(message) > LAST_BYTES) node.last = null;
  }
}

function climb(node: TopicNode, each: (node: TopicNode) => void): void {
  for (let at: TopicNode | null = node; at; at = at.parent) each(at);
}

/** The levels of a topic. One with absurdly many keeps the rest of them in the last. */
function levels(topic: string): string[] {
  const names = topic.split('/');
  return names.length <= LEVELS ? names : [...names.slice(0, LEVELS - 1), names.slice(LEVELS - 1).join('/')];
}

const NODES = 50_000;
const CHARACTERS = 16_000_000;
const HISTORY = 1_000;
const MESSAGES = 100_000;
const BYTES = 64 << 20;
const LEVELS = 128;
/** Bytes of a last message that every topic may keep for ever. */
const LAST_BYTES = 1_024;
