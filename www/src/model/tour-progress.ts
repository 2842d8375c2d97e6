// Which lessons the tour has, how far its reader has come, and whether it is still offered. Remembered from one visit to the next.

import { type ReadonlySignal, signal } from '@preact/signals';
import { keep, recall, type Store } from './store.ts';

/** The lessons of the tour, in their order. */
export const LESSONS = ['client', 'topic', 'wildcard', 'qos0', 'qos1', 'qos2', 'retained', 'will', 'session'] as const;
export type LessonName = (typeof LESSONS)[number];

/** Where the reader is: a lesson, or behind the last one. */
export type Place = LessonName | 'end';

/** Where one reader stands. */
export class TourProgress {
  readonly #store: Store;
  readonly #place = signal<Place>('client');
  readonly #done = signal<ReadonlySet<LessonName>>(new Set());
  readonly #isDismissed = signal(false);

  constructor(store: Store) {
    this.#store = store;
    const known = (recall(store, NAME) ?? {}) as Partial<Record<keyof Kept, unknown>>;
    const done = Array.isArray(known.done) ? LESSONS.filter((name) => (known.done as unknown[]).includes(name)) : [];
    this.#place.value = PLACES.find((place) => place === known.place) ?? 'client';
    this.#done.value = new Set(done);
    this.#isDismissed.value = known.isDismissed === true;
  }

  get place(): ReadonlySignal<Place> {
    return this.#place;
  }

  /** The lessons that ran to their end. */
  get done(): ReadonlySignal<ReadonlySet<LessonName>> {
    return this.#done;
  }

  /** Whether the reader does not want to be asked any more, or has come to the end. */
  get isDismissed(): ReadonlySignal<boolean> {
    return this.#isDismissed;
  }

  get hasBegun(): boolean {
    return this.#done.value.size > 0 || this.#place.value !== 'client';
  }

  goTo(place: Place): void {
    this.#place.value = place;
    if (place === 'end') this.#isDismissed.value = true;
    this.#keep();
  }

  finish(lesson: LessonName): void {
    this.#done.value = new Set([...this.#done.value, lesson]);
    this.#keep();
  }

  dismiss(): void {
    this.#isDismissed.value = true;
    this.#keep();
  }

  #keep(): void {
    const kept: Kept = { place: this.#place.value, done: [...this.#done.value], isDismissed: this.#isDismissed.value };
    keep(this.#store, NAME, kept);
  }
}

interface Kept {
  readonly place: Place;
  readonly done: readonly LessonName[];
  readonly isDismissed: boolean;
}

export const PLACES: readonly Place[] = [...LESSONS, 'end'];

const NAME = 'tour';
