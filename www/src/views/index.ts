// Which views there are, each loaded when it is first looked at, but for the one that the page begins with. A view gets the
// workspace and one connection.

import type { ComponentType } from 'preact';
import { lazy } from '../components/lazy.tsx';
import type { Connection } from '../model/connection.ts';
import type { View, Workspace } from '../model/workspace.ts';
import { MessagesView } from './messages/messages-view.tsx';

/** What every view is given. */
export interface ViewProps {
  readonly workspace: Workspace;
  /** The one that is looked at; `null` while there is none. */
  readonly connection: Connection | null;
}

interface ViewEntry {
  /** Whether it shows one connection, so that several can stand side by side. */
  readonly isPerConnection: boolean;
  readonly View: ComponentType<ViewProps>;
}

export const views: Readonly<Record<View, ViewEntry>> = {
  tour: { isPerConnection: false, View: lazy<ViewProps>(async () => (await import('./tour/tour-view.tsx')).TourView) },
  messages: { isPerConnection: true, View: MessagesView },
  topics: { isPerConnection: true, View: lazy<ViewProps>(async () => (await import('./topics/topics-view.tsx')).TopicsView) },
  wire: { isPerConnection: false, View: lazy<ViewProps>(async () => (await import('./wire/wire-view.tsx')).WireView) },
  broker: { isPerConnection: false, View: lazy<ViewProps>(async () => (await import('./broker/broker-view.tsx')).BrokerView) },
  bench: { isPerConnection: false, View: lazy<ViewProps>(async () => (await import('./bench/bench-view.tsx')).BenchView) },
};
