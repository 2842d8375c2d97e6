// The wire: packets of all connections, one of them in detail, experiments, and what is to go wrong.

import '../../style/wire.css';
import '../../style/wire-packet.css';
import '../../style/wire-side.css';
import type { ViewProps } from '../index.ts';
import { ExperimentsPanel } from './experiments-panel.tsx';
import { FaultsPanel } from './faults-panel.tsx';
import { PacketDetail } from './packet-detail.tsx';
import { Timeline } from './timeline.tsx';
import { wireState } from './wire-state.ts';

export function WireView({ workspace, connection }: ViewProps) {
  const state = wireState(workspace);
  return (
    <div class="wire">
      <Timeline state={state} />
      <PacketDetail entry={state.chosen.value} />
      <aside class="wire-side">
        <ExperimentsPanel state={state} />
        {connection && <FaultsPanel key={connection.number} connection={connection} workspace={workspace} />}
      </aside>
    </div>
  );
}
