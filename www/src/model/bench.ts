// A measurement of a broker: its clients, the pace, and how it stands. Clients, and the broker in this page, share the thread that
// draws the page. Knows nothing of how results are shown.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Broker, ClientStatus } from 'mqlite/broker';
import { type BenchClient, type Lane, type LaneHost, plan, type Plan } from './bench-lanes.ts';
import { publishes, type SoundSetting } from './bench-setting.ts';
import { Tally } from './bench-tally.ts';
import { library } from './library.ts';
import { type Profile, toConnectOptions } from './profile.ts';
import { Turns } from './turns.ts';

/** `draining`: the time is over, and what is under way may still come. */
export type BenchStatus = 'preparing' | 'running' | 'draining' | 'done' | 'stopped' | 'failed';

/** One run. The broker in this page is one of its own, in memory alone: the page's other clients see nothing of it. */
export class Bench {
  readonly setting: SoundSetting;
  /** How to connect; `null` is a broker in this page. */
  readonly profile: Profile | null;
  readonly began = Date.now();
  readonly #tally = new Tally();
  readonly #status = signal<BenchStatus>('preparing');
  readonly #version = signal(0);
  readonly #turns = new Turns();
  readonly #clients = new Set<BenchClient>();
  readonly #ready: Lane[] = [];
  readonly #run = crypto.randomUUID().slice(0, 8);
  #broker: Broker | null = null;
  /** Messages that the broker in this page had received when it was asked last. */
  #received = 0;
  #connects = 0;
  #isStopped = false;
  #error: unknown;
  #isFailed = false;
  #wasHidden = false;
  #giveUp = () => {};
  /** Resolves when it is stopped or has failed. */
  readonly #over = new Promise<null>((resolve) => (this.#giveUp = () => resolve(null)));
  #isClosed = false;

  constructor(setting: SoundSetting, profile: Profile | null) {
    this.setting = setting;
    this.profile = profile;
  }

  get status(): ReadonlySignal<BenchStatus> {
    return this.#status;
  }

  /** What it has counted. Whoever shows it is told of changes a few times a second. */
  get tally(): Tally {
    this.#version.value;
    return this.#tally;
  }

  /** Changes with what is told of the tally. */
  get version(): ReadonlySignal<number> {
    return this.#version;
  }

  /** Why it failed. */
  get error(): unknown {
    return this.#error;
  }

  /** Whether the page was hidden meanwhile: browsers then slow it down. */
  get wasHidden(): boolean {
    return this.#wasHidden;
  }

  /** How many clients are connected. */
  get connected(): number {
    this.#version.value;
    return this.#clients.size;
  }

  /** What never came. */
  get missing(): number {
    const { sent, counted, late } = this.tally;
    const parts = this.setting.scenario === 'fanOut' ? this.setting.clients : 1;
    return Math.max(0, sent * parts - counted - late);
  }

  /** Seconds measured so far. */
  get elapsed(): number {
    return this.#status.value === 'preparing' ? 0 : this.tally.elapsed(performance.now());
  }

  /** Runs it, once. Never rejects: the status tells. */
  async run(): Promise<void> {
    const looking = setInterval(() => this.#look(), LOOK);
    try {
      const { Broker } = await library();
      if (!this.profile) this.#broker = await Broker.open();
      const planned = await Promise.race([plan(this.#host()), this.#over]);
      if (planned) await this.#drive(planned);
    } catch (error) {
      this.#fail(error);
    }
    clearInterval(looking);
    await this.#close();
    this.#status.value = this.#isFailed ? 'failed' : this.#isStopped ? 'stopped' : 'done';
    this.#version.value += 1;
  }

  /** Ends it early; what was counted so far stays. */
  stop(): void {
    this.#isStopped = true;
    this.#giveUp();
    this.#turns.wake();
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#isFailed;
  }

  async #drive({ lanes, parts, poll }: Plan): Promise<void> {
    const { setting: { rate, duration } } = this;
    const tally = this.#tally;
    this.#ready.push(...lanes);
    const start = performance.now();
    const end = start + duration * 1_000;
    let begun = 0;
    tally.begin(start);
    this.#status.value = 'running';

    for (let now = start; now < end && !this.#isOver; now = performance.now()) {
      poll?.();
      const until = Math.min(now + SLICE, end);
      let due = now;
      for (; now < until; now = performance.now()) {
        due = rate === null ? now : start + (begun * 1_000) / rate;
        const lane = due <= now ? this.#ready.shift() : undefined;
        if (!lane) break;
        begun += 1;
        lane.begin(due, parts);
        if (lane.hasRoom) this.#ready.push(lane);
      }
      const wait = due > now ? due - now : this.#ready.length === 0 && !poll ? LOOK : 0;
      if (wait > TIMER) await this.#turns.sleep(wait - (due > now ? TIMER : 0));
      await this.#turns.next();
    }

    const now = Math.min(performance.now(), end);
    poll?.();
    tally.behind = rate === null ? 0 : Math.max(0, Math.ceil(((now - start) / 1_000) * rate - 1e-6) - begun);
    tally.end(performance.now());
    await this.#drain(poll);
  }

  /** What is under way may come for some time, and is counted as late. */
  async #drain(poll: Plan['poll']): Promise<void> {
    this.#status.value = 'draining';
    let [open, quietSince] = [this.#open, performance.now()];
    while (open > 0 && !this.#isOver && performance.now() - quietSince < PATIENCE) {
      await this.#turns.sleep(TIMER);
      poll?.();
      if (this.#open !== open) [open, quietSince] = [this.#open, performance.now()];
    }
  }

  /** What has not come yet, acknowledgements as well. */
  get #open(): number {
    const { setting, missing } = this;
    const tally = this.#tally;
    return missing + (publishes(setting) && setting.qos > 0 ? tally.sent - tally.acknowledged : 0);
  }

  #host(): LaneHost {
    return {
      setting: this.setting,
      tally: this.#tally,
      run: this.#run,
      connect: () => this.#connect(),
      fail: (error) => this.#fail(error),
      onRoom: (lane) => {
        this.#ready.push(lane);
        this.#turns.wake();
      },
      newlyReceived: () => this.#newlyReceived(),
    };
  }

  #newlyReceived(): number {
    if (!this.#broker) return Infinity;
    const before = this.#received;
    this.#received = this.#broker.statistics().messagesReceived;
    return this.#received - before;
  }

  async #connect(): Promise<BenchClient> {
    const { connect, scramSha256 } = await library();
    const { profile } = this;
    this.#connects += 1;
    const clientId = `${profile?.clientId || 'bench'}-${this.#run}-${this.#connects}`;
    const socket = this.#broker ? this.#broker.webSocket() : new WebSocket(profile!.server, 'mqtt');
    const client = await connect(() => socket, {
      ...(profile && toConnectOptions({ ...profile, will: null, cleanStart: true, properties: { ...profile.properties, sessionExpiryInterval: null } })),
      ...(profile?.authentication === 'scram' && { authentication: scramSha256(profile) }),
      clientId,
      reconnect: false,
      onMessage: () => {}, // what it subscribed to has a listener of its own
    });
    const known = { client, socket };
    this.#clients.add(known);
    client.on('status', (status: ClientStatus, { error }) => {
      if (status !== 'ended') return;
      this.#clients.delete(known);
      if (error) this.#fail(error);
    });
    if (this.#isClosed) await client.end();
    return known;
  }

  /** Failures of what is under way at the end are none. */
  #fail(error: unknown): void {
    if (this.#isOver || this.#isClosed) return;
    this.#error = error;
    this.#isFailed = true;
    this.#giveUp();
    this.#turns.wake();
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#turns.close();
    await Promise.all([...this.#clients].map(({ client }) => client.end().catch(() => {}))); // over in any case
    await this.#broker?.close();
  }

  #look(): void {
    if (globalThis.document?.hidden) this.#wasHidden = true;
    if (this.#status.value === 'running') this.#tally.sample(performance.now());
    this.#version.value += 1;
  }
}

/** Milliseconds of work between two turns of the page. */
const SLICE = 4;
/** Milliseconds: a timer is not more exact. */
const TIMER = 8;
/** Milliseconds between two points of a plot. */
const LOOK = 250;
/** Milliseconds without news after which what has not come is missing. */
const PATIENCE = 3_000;
