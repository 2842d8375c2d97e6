// What the view of the wire shows: it outlives the view, which is drawn anew for each connection that is looked at.

import { computed, signal } from '@preact/signals';
import { Experiment, type ExperimentName } from '../../model/experiments.ts';
import { library } from '../../model/library.ts';
import type { WireEntry, WireParty } from '../../model/wire-log.ts';
import { type PacketChoice, WireRows } from '../../model/wire-rows.ts';
import type { Workspace } from '../../model/workspace.ts';

export class WireState {
  readonly workspace: Workspace;
  readonly rows: WireRows;
  /** The entry that is looked at; it stays here when the log forgets it. */
  readonly chosen = signal<WireEntry | null>(null);
  readonly isFollowing = signal(true);
  readonly packets = signal<PacketChoice>('noPings');
  /** Numbers of the parties that the reader has hidden, sensors aside. */
  readonly hidden = signal<ReadonlySet<number>>(new Set());
  /** On a phone there is no room for them, unless somebody asks. */
  readonly showsSensors = signal(!matchMedia(PHONE).matches);
  readonly experiment = signal<Experiment | null>(null);
  readonly shownParties = computed(() => this.workspace.wire.parties.value.filter((party) => this.isShown(party)));
  readonly filter = computed(() => ({
    packets: this.packets.value,
    parties: new Set(this.shownParties.value.map(({ number }) => number)),
  }));

  constructor(workspace: Workspace) {
    this.workspace = workspace;
    this.rows = new WireRows(workspace.wire, this.filter.peek());
  }

  isShown({ number, kind }: WireParty): boolean {
    return kind === 'sensor' ? this.showsSensors.value : !this.hidden.value.has(number);
  }

  toggle({ number }: WireParty): void {
    const hidden = new Set(this.hidden.value);
    if (!hidden.delete(number)) hidden.add(number);
    this.hidden.value = hidden;
  }

  choose(entry: WireEntry | undefined): void {
    this.chosen.value = entry ?? null;
    if (entry) this.isFollowing.value = false;
  }

  clear(): void {
    this.workspace.wire.clear();
    this.chosen.value = null;
    this.isFollowing.value = true;
  }

  /** Runs it, in place of the one before, and shows its two clients alone. */
  async run(name: ExperimentName): Promise<void> {
    this.experiment.value?.leave();
    const { broker, wire } = this.workspace;
    const experiment = new Experiment(name, {
      log: wire,
      socket: () => broker.socket(),
      connect: async (server, options) => (await library()).connect(server, options),
    });
    this.experiment.value = experiment;
    this.hidden.value = new Set(wire.parties.value.filter(({ kind }) => kind !== 'experiment').map(({ number }) => number));
    this.showsSensors.value = false;
    this.chosen.value = null;
    this.isFollowing.value = true;
    await experiment.run();
  }

  /** Takes its clients out of the picture, and shows the others again. */
  endExperiment(): void {
    this.experiment.value?.leave();
    this.experiment.value = null;
    this.hidden.value = new Set();
    this.showsSensors.value = !matchMedia(PHONE).matches;
  }
}

/** The one of this page. */
export function wireState(workspace: Workspace): WireState {
  let state = states.get(workspace);
  if (!state) states.set(workspace, (state = new WireState(workspace)));
  return state;
}

const states = new WeakMap<Workspace, WireState>();

const PHONE = '(max-width: 48rem)';
