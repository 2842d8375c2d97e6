// What a broker has at one moment, and what became of it over a crash. Knows nothing of how it is shown.

import type { Broker, BrokerStatistics, ClientDetails, Page } from 'mqlite/broker';

/** What a broker has. Of very long lists only the first part. */
export interface Inventory {
  readonly statistics: BrokerStatistics;
  readonly clients: readonly ClientDetails[];
  readonly topics: readonly string[];
}

/** A broker that was killed, and the one that came after it. */
export interface Crash {
  readonly before: Inventory;
  /** `null` until there is another broker: what it had before anybody connected. */
  readonly after: Inventory | null;
}

/** What is gone since a crash. */
export interface Loss {
  /** Client Identifiers. */
  readonly sessions: readonly string[];
  /** Topics whose retained message is gone. */
  readonly topics: readonly string[];
}

/** What waits for this client, or is on its way to it. */
export function waiting({ queued, inFlight }: ClientDetails): number {
  return queued + inFlight;
}

export function takeInventory(broker: Broker): Inventory {
  return {
    statistics: broker.statistics(),
    clients: all((after) => broker.clients({ limit: PAGE, ...after })),
    topics: all((after) => broker.retained('#', { limit: PAGE, ...after })).map(({ topic }) => topic),
  };
}

export function lossOf(before: Inventory, after: Inventory): Loss {
  const sessions = new Set(after.clients.map(({ clientId }) => clientId));
  const topics = new Set(after.topics);
  return {
    sessions: before.clients.map(({ clientId }) => clientId).filter((clientId) => !sessions.has(clientId)),
    topics: before.topics.filter((topic) => !topics.has(topic)),
  };
}

/** A list, page by page, as far as anybody reads. */
function all<T>(page: (after: { after?: string }) => Page<T>): T[] {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const part = page(next === undefined ? {} : { after: next });
    items.push(...part.items);
    next = part.next;
  } while (next !== undefined && items.length < MOST);
  return items;
}

const PAGE = 1_000;
const MOST = 5_000;
