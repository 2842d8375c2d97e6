// The measurements of this page: they outlive the view, and go on while another is looked at.

import { signal } from '@preact/signals';
import { Bench } from '../../model/bench.ts';
import { type BenchSetting, INITIAL_SETTING, isSound } from '../../model/bench-setting.ts';
import type { Profile } from '../../model/profile.ts';
import type { Workspace } from '../../model/workspace.ts';

export class BenchState {
  readonly workspace: Workspace;
  readonly setting = signal<BenchSetting>(INITIAL_SETTING);
  /** The profile of the broker, by its identifier; `tab` is one in this page. */
  readonly server = signal('tab');
  /** The last few, latest first. */
  readonly runs = signal<readonly Bench[]>([]);
  /** The one that is looked at. */
  readonly shown = signal<Bench | null>(null);

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** Profiles of other brokers: those of connections, whose passwords are known, then the stored ones. */
  get profiles(): readonly Profile[] {
    const { connections, profiles } = this.workspace;
    const known = new Map<string, Profile>();
    for (const profile of [...connections.value.map((connection) => connection.profile), ...profiles.all.value]) {
      if (profile.server !== 'tab' && !known.has(profile.id)) known.set(profile.id, profile);
    }
    return [...known.values()];
  }

  /** The profile that is chosen; `null` is the broker in this page. */
  get profile(): Profile | null {
    return this.profiles.find(({ id }) => id === this.server.value) ?? null;
  }

  get isBusy(): boolean {
    const status = this.runs.value[0]?.status.value;
    return status === 'preparing' || status === 'running' || status === 'draining';
  }

  start(): void {
    const setting = this.setting.value;
    if (this.isBusy || !isSound(setting)) return;
    const bench = new Bench(setting, this.profile);
    this.runs.value = [bench, ...this.runs.value].slice(0, KEPT);
    this.shown.value = bench;
    void bench.run();
  }

  stop(): void {
    this.runs.value[0]?.stop();
  }
}

/** The one of this page. */
export function benchState(workspace: Workspace): BenchState {
  let state = states.get(workspace);
  if (!state) states.set(workspace, (state = new BenchState(workspace)));
  return state;
}

const states = new WeakMap<Workspace, BenchState>();
const KEPT = 10;
