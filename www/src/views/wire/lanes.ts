// Where the lines of clients and servers stand in the diagram: each server in the midst of its clients. Knows nothing of packets.

import type { WireParty } from '../../model/wire-log.ts';

export interface Lane {
  readonly x: number;
  /** A client, or else a server. */
  readonly party: WireParty | undefined;
  readonly server: string;
}

export interface Lanes {
  readonly width: number;
  /** From left to right. */
  readonly lanes: readonly Lane[];
  /** Pixels between two lines. */
  readonly gap: number;
  /** Where a party's line is, and that of its server. */
  readonly places: ReadonlyMap<number, { readonly client: number; readonly server: number }>;
}

/** @param width Pixels that there are; the lines take more where that is too few. */
export function layOut(parties: readonly WireParty[], width: number): Lanes {
  const ordered = [...new Set(parties.map(({ server }) => server))].flatMap((server) => around(server, parties));
  const gap = Math.max(LEAST_GAP, Math.min(MOST_GAP, (width - 2 * EDGE) / Math.max(1, ordered.length - 1)));
  const taken = gap * Math.max(0, ordered.length - 1) + 2 * EDGE;
  const left = EDGE + Math.max(0, width - taken) / 2;
  const lanes = ordered.map((lane, index) => ({ ...lane, x: Math.round(left + index * gap) }));
  const serverAt = new Map(lanes.filter(({ party }) => !party).map(({ server, x }) => [server, x]));
  const places = new Map(
    lanes.flatMap(({ party, x, server }) => (party ? [[party.number, { client: x, server: serverAt.get(server)! }] as const] : [])),
  );
  return { width: Math.max(width, taken), lanes, gap, places };
}

function around(server: string, parties: readonly WireParty[]): Omit<Lane, 'x'>[] {
  const clients = parties.filter((party) => party.server === server).map((party) => ({ party, server }));
  const half = Math.ceil(clients.length / 2);
  return [...clients.slice(0, half), { party: undefined, server }, ...clients.slice(half)];
}

/** Pixels. */
const EDGE = 64;
const LEAST_GAP = 100;
const MOST_GAP = 420;
