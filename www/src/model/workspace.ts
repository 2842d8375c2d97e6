// All that the page works with: the broker in it, the profiles, the connections, and which of these is looked at.

import { type ReadonlySignal, signal } from '@preact/signals';
import { Connection } from './connection.ts';
import { InTabBroker } from './in-tab-broker.ts';
import { newProfile, type Profile } from './profile.ts';
import { Profiles } from './profiles.ts';
import { fromLink } from './share.ts';
import { localStore, type Store } from './store.ts';
import { TourProgress } from './tour-progress.ts';
import { WireLog } from './wire-log.ts';

/** The views of the page, in the order of its tabs. */
export const VIEWS = ['tour', 'messages', 'topics', 'wire', 'broker', 'bench'] as const;
export type View = (typeof VIEWS)[number];

/** What the connect form shows: a profile, and the connection that it is for, if there is one. */
export interface Draft {
  readonly profile: Profile;
  readonly connection: Connection | null;
  /** From a link: who opened it may not know where it leads. */
  readonly isForeign?: boolean;
}

/** The page's state. */
export class Workspace {
  /** What passes between the clients of this page and their servers. */
  readonly wire = new WireLog();
  readonly broker: InTabBroker;
  readonly store: Store;
  readonly profiles: Profiles;
  /** How far the reader has come with the tour. */
  readonly tour: TourProgress;
  readonly #connections = signal<readonly Connection[]>([]);
  /** The connection that the views show. */
  readonly selected = signal<Connection | null>(null);
  readonly view = signal<View>('messages');
  /** Whether a view shows all connections, each in a column, where it can. */
  readonly isSideBySide = signal(false);
  /** The connect form, while it is open. */
  readonly draft = signal<Draft | null>(null);
  /** Whether the page was opened with a link whose profile cannot be read. */
  readonly isLinkBad = signal(false);
  #last = 0;

  constructor(store: Store = localStore()) {
    this.store = store;
    this.broker = new InTabBroker(this.wire, store);
    this.profiles = new Profiles(store);
    this.tour = new TourProgress(store);
    setInterval(() => {
      for (const connection of this.#connections.value) connection.tick();
    }, 1_000);
  }

  get connections(): ReadonlySignal<readonly Connection[]> {
    return this.#connections;
  }

  /** Opens the broker in this page, a subscriber of it, and its sensors: in this order, so that nothing is missed. */
  async start(): Promise<void> {
    const opened = this.broker.open();
    const first = this.add(newProfile({ name: '', clientId: 'console', subscriptions: [{ filter: '#', qos: 2 }] }));
    await opened;
    if (this.broker.status.value !== 'open') return;
    await first.connect();
    await this.broker.sensors.start();
  }

  /** Shows the profile of a link, if there is one; nothing is connected by itself. Whether the address can be cleared of it. */
  follow(link: string): boolean {
    const profile = fromLink(link);
    if (profile === null) return false;
    if (profile) this.draft.value = { profile, connection: null, isForeign: true };
    else this.isLinkBad.value = true;
    return true;
  }

  /** A new connection, which is looked at from now on. */
  add(profile: Profile): Connection {
    this.#last += 1;
    const connection = new Connection(this.#last, profile, this.broker, this.wire);
    this.#connections.value = [...this.#connections.value, connection];
    this.selected.value = connection;
    return connection;
  }

  /** Ends a connection, and forgets all that it has seen. */
  async close(connection: Connection): Promise<void> {
    const index = this.#connections.value.indexOf(connection);
    const left = this.#connections.value.filter((other) => other !== connection);
    this.#connections.value = left;
    if (this.selected.value === connection) this.selected.value = left[Math.min(index, left.length - 1)] ?? null;
    await connection.close();
  }

  /** Ends, changes and connects one connection. */
  async connectAs(connection: Connection, profile: Profile): Promise<void> {
    await connection.end();
    connection.adopt(profile);
    await connection.connect();
  }
}
