// What each scenario does again and again, as lanes: each has its clients and so many operations under way at a time.
// Knows nothing of when, or for how long.

import type { Client } from 'mqlite/broker';
import { publishes, type SoundSetting } from './bench-setting.ts';
import type { Tally } from './bench-tally.ts';

/** Where operations are begun, one after the other. */
export class Lane {
  /** How many may be under way. */
  readonly room: number;
  readonly #begin: (due: number, lane: Lane) => void;
  readonly #onRoom: (lane: Lane) => void;
  #underWay = 0;

  constructor(room: number, begin: (due: number, lane: Lane) => void, onRoom: (lane: Lane) => void) {
    this.room = room;
    this.#begin = begin;
    this.#onRoom = onRoom;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get hasRoom(): boolean {
    return this.#underWay < this.room;
  }

  /** Begins an operation that was due then, which is done when this many parts of it are. */
  begin(due: number, parts: number): void {
    this.#underWay += parts;
    this.#begin(due, this);
  }

  /** Parts of operations are done, or lost. */
  end(parts = 1): void {
    const wasFull = !this.hasRoom;
    this.#underWay = Math.max(0, this.#underWay - parts);
    if (wasFull && this.hasRoom) this.#onRoom(this);
  }
}

/** All that a scenario needs to be set up. */
export interface LaneHost {
  readonly setting: SoundSetting;
  readonly tally: Tally;
  /** Part of all topics, so that no message of another run counts. */
  readonly run: string;
  /** A new client of the server. */
  connect(): Promise<BenchClient>;
  /** The run cannot go on. */
  fail(error: unknown): void;
  /** A lane has room again. */
  onRoom(lane: Lane): void;
  /** How many messages the broker in this page has received since this was last asked; `Infinity` of another broker, which tells nothing. */
  newlyReceived(): number;
}

/** A client and, where it has one, what of its messages waits in its WebSocket. */
export interface BenchClient {
  readonly client: Client;
  readonly socket: { readonly bufferedAmount: number };
}

/** The lanes of a scenario, and how many parts each of its operations has. */
export interface Plan {
  readonly lanes: readonly Lane[];
  readonly parts: number;
  /** Asks the lanes what they are not told; where there is none, they are told all. */
  readonly poll?: () => void;
}

/** Connects the clients of a scenario, and says what is to be done with them. */
export async function plan(host: LaneHost): Promise<Plan> {
  const { scenario } = host.setting;
  if (scenario === 'connect') return connecting(host);
  if (scenario === 'subscribe') return subscribing(host);
  return scenario === 'publish' ? publishing(host) : delivering(host);
}

/** How many operations a lane has under way: few where as many as possible are done, since the rest only waits. */
function roomOf(setting: SoundSetting): number {
  if (!publishes(setting)) return setting.rate === null ? 1 : MOST_UNDER_WAY;
  const room = setting.rate === null ? (setting.scenario === 'publish' && setting.qos === 0 ? UNSEEN_WINDOW : WINDOW) : MOST_UNDER_WAY;
  return Math.max(1, Math.min(room, Math.floor(BYTES_UNDER_WAY / setting.payload)));
}

function connecting({ setting, tally, connect, fail, onRoom }: LaneHost): Plan {
  const begin = async (due: number, lane: Lane): Promise<void> => {
    try {
      tally.sent += 1;
      const { client } = await connect();
      tally.done(1, due);
      await client.end();
    } catch (error) {
      fail(error);
    } finally {
      lane.end();
    }
  };
  return { lanes: times(setting.clients, () => new Lane(setting.rate === null ? 1 : CONNECTS_UNDER_WAY, begin, onRoom)), parts: 1 };
}

async function subscribing(host: LaneHost): Promise<Plan> {
  const { setting, tally, run, fail, onRoom } = host;
  const clients = await connectAll(host, setting.clients);
  const lanes = clients.map(({ client }, index) => {
    let number = 0;
    return new Lane(roomOf(setting), async (due, lane) => {
      try {
        tally.sent += 1;
        const filter = `${setting.topic}/${run}/${index}/${(number += 1)}/+`;
        await client.subscribe(filter, { qos: setting.qos }, () => {});
        tally.done(1, due);
        await client.unsubscribe(filter);
      } catch (error) {
        fail(error);
      } finally {
        lane.end();
      }
    }, onRoom);
  });
  return { lanes, parts: 1 };
}

async function publishing(host: LaneHost): Promise<Plan> {
  const { setting, tally, onRoom } = host;
  const clients = await connectAll(host, setting.clients);
  const lanes = clients.map(({ client }, index) => {
    const send = sender(host, client, `${index}`);
    return new Lane(roomOf(setting), (due, lane) => {
      send(due, setting.qos === 0 ? undefined : () => {
        tally.done(1, due);
        lane.end();
      });
    }, onRoom);
  });
  if (setting.qos > 0) return { lanes, parts: 1 };
  const poll = (): void => {
    let left = host.newlyReceived();
    for (const [index, lane] of lanes.entries()) {
      const count = Math.min(left, lane.underWay);
      if (count === 0 || clients[index]!.socket.bufferedAmount > 0) continue;
      tally.done(count);
      lane.end(count);
      left -= count;
    }
  };
  return { lanes, parts: 1, poll };
}

/** One publisher and one subscriber a lane, or one lane with many subscribers. */
async function delivering(host: LaneHost): Promise<Plan> {
  const { setting, tally, run, onRoom } = host;
  const isFanOut = setting.scenario === 'fanOut';
  const publishers = await connectAll(host, isFanOut ? 1 : setting.clients);
  const subscribers = await connectAll(host, setting.clients);
  const parts = isFanOut ? setting.clients : 1;
  const lanes = publishers.map(({ client }, index) => {
    const send = sender(host, client, `${index}`);
    return new Lane(roomOf(setting) * parts, (due) => send(due), onRoom);
  });
  await Promise.all(subscribers.map(({ client }, index) => {
    const lane = lanes[isFanOut ? 0 : index]!;
    return client.subscribe(`${setting.topic}/${run}/${isFanOut ? 0 : index}`, { qos: setting.qos }, ({ payload }) => {
      tally.done(1, new DataView(payload.buffer, payload.byteOffset).getFloat64(0));
      lane.end();
    });
  }));
  return { lanes, parts };
}

/** Publishes messages with the time in them. */
function sender({ setting, tally, run, fail }: LaneHost, client: Client, name: string): (due: number, onAcknowledged?: () => void) => void {
  const topic = `${setting.topic}/${run}/${name}`;
  const options = { qos: setting.qos };
  return (due, onAcknowledged) => {
    const payload = new Uint8Array(setting.payload);
    new DataView(payload.buffer).setFloat64(0, due);
    tally.sent += 1;
    client.publish(topic, payload, options).then(() => {
      if (setting.qos > 0) tally.acknowledged += 1;
      onAcknowledged?.();
    }, fail);
  };
}

function connectAll({ connect }: LaneHost, count: number): Promise<BenchClient[]> {
  return Promise.all(times(count, () => connect()));
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

const WINDOW = 16;
/** Messages whose way is known only as a whole. */
const UNSEEN_WINDOW = 256;
/** With a rate: more than this waits to be begun, and is measured from when it was due all the same. */
const MOST_UNDER_WAY = 500;
const CONNECTS_UNDER_WAY = 4;
const BYTES_UNDER_WAY = 4_000_000;
