// Who stands at which line of the diagram.

import type { Lanes } from './lanes.ts';
import { brokerName, partyName } from './packet-texts.ts';

export function Heads({ lanes }: { lanes: Lanes }) {
  return (
    <div class="wire-heads" aria-hidden="true">
      {lanes.lanes.map(({ x, party, server }) => (
        <span
          key={party ? party.number : server}
          class={party ? `wire-head hue-${party.number % 8}` : 'wire-head wire-head-server'}
          style={{ left: `${x}px`, maxWidth: `${lanes.gap - 8}px` }}
        >
          {party ? partyName(party) : brokerName(server)}
        </span>
      ))}
    </div>
  );
}
