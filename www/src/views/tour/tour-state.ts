// The lesson that is being done: it outlives the view, which is drawn anew whenever it is come back to.

import { signal } from '@preact/signals';
import type { LessonName, Place } from '../../model/tour-progress.ts';
import { TourRun } from '../../model/tour-run.ts';
import type { Workspace } from '../../model/workspace.ts';
import { wireState } from '../wire/wire-state.ts';

export class TourState {
  readonly workspace: Workspace;
  /** The last run of the lesson that is looked at; `null` before the first. */
  readonly run = signal<TourRun | null>(null);

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  goTo(place: Place): void {
    if (place === this.workspace.tour.place.value) return;
    this.#leave();
    this.workspace.tour.goTo(place);
  }

  /** Does a lesson, in place of the run before. */
  async start(name: LessonName): Promise<void> {
    this.#leave();
    const { broker, wire, tour } = this.workspace;
    const run = new TourRun(name, broker, wire);
    this.run.value = run;
    await run.run();
    if (run.status.value === 'done') tour.finish(name);
  }

  /** Goes to the wire, with the packets of this lesson alone. */
  showWire(run: TourRun): void {
    const { wire, view } = this.workspace;
    const state = wireState(this.workspace);
    const own = run.parties.value;
    state.hidden.value = new Set(wire.parties.value.filter((party) => !own.includes(party)).map(({ number }) => number));
    state.showsSensors.value = false;
    state.choose(run.entries().find(({ kind }) => kind === 'packet'));
    view.value = 'wire';
  }

  #leave(): void {
    this.run.value?.leave();
    this.run.value = null;
  }
}

/** The one of this page. */
export function tourState(workspace: Workspace): TourState {
  let state = states.get(workspace);
  if (!state) states.set(workspace, (state = new TourState(workspace)));
  return state;
}

const states = new WeakMap<Workspace, TourState>();
