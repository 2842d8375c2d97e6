// The packets of all connections as a diagram of sequences: a line for each client and server, time running down.

import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { VirtualList } from '../../components/virtual-list.tsx';
import { t } from '../../i18n/index.ts';
import { exchangeOf } from '../../model/exchange.ts';
import { PACKET_CHOICES, type PacketChoice } from '../../model/wire-rows.ts';
import { layOut } from './lanes.ts';
import { partyName } from './packet-texts.ts';
import { Heads } from './timeline-heads.tsx';
import { ROW_HEIGHT, TimelineRow } from './timeline-row.tsx';
import type { WireState } from './wire-state.ts';

export function Timeline({ state }: { state: WireState }) {
  const { rows, chosen, isFollowing, workspace } = state;
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    if (!frame.current) return;
    const observer = new ResizeObserver(([entry]) => (width.value = Math.floor(entry!.contentRect.width)));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  workspace.wire.version.value; // drawn again when there is more
  rows.update(state.filter.value);
  const isNarrow = width.value < NARROW;
  const lanes = layOut(state.shownParties.value, Math.max(0, width.value - (isNarrow ? 0 : TIME_WIDTH) - SCROLLBAR));
  const active = chosen.value ? rows.indexOf(chosen.value.number) : -1;
  const kin = chosen.value?.kind === 'packet' ? exchangeOf(chosen.value, workspace.wire) : NONE;
  return (
    <section class="panel wire-timeline" aria-label={t('wire.timeline')}>
      <Toolbar state={state} />
      <div ref={frame} class={isNarrow ? 'wire-frame wire-narrow' : 'wire-frame'}>
        <div class="wire-wide" style={{ width: `${lanes.width + (isNarrow ? 0 : TIME_WIDTH) + SCROLLBAR}px` }}>
          <Heads lanes={lanes} />
          {rows.length === 0 && <p class="muted wire-empty">{t('wire.empty')}</p>}
          <VirtualList
            role="listbox"
            label={t('wire.packets')}
            class="wire-rows"
            count={rows.length}
            first={rows.gone}
            rowHeight={ROW_HEIGHT}
            active={active}
            onActive={(index) => state.choose(rows.at(index))}
            rowKey={(index) => rows.at(index)?.number ?? -1}
            attributes={(index) => (index !== active && kin.has(rows.at(index)?.number ?? -1) ? KIN : {})}
            row={(index) => {
              const entry = rows.at(index);
              return entry && <TimelineRow entry={entry} lanes={lanes} />;
            }}
            isFollowing={isFollowing.value}
            onFollowing={(follows) => (isFollowing.value = follows)}
          />
        </div>
      </div>
    </section>
  );
}

function Toolbar({ state }: { state: WireState }) {
  const { workspace, isFollowing, packets } = state;
  const parties = workspace.wire.parties.value;
  const sensors = parties.filter(({ kind }) => kind === 'sensor');
  return (
    <div class="toolbar wire-toolbar">
      <h2 class="panel-title">{t('view.wire')}</h2>
      <div class="chips" role="group" aria-label={t('wire.parties')}>
        {parties.filter(({ kind }) => kind !== 'sensor').map((party) => (
          <Chip
            key={party.number}
            isOn={state.isShown(party)}
            label={partyName(party)}
            hue={`hue-${party.number % 8}`}
            onPress={() => state.toggle(party)}
          />
        ))}
        {sensors.length > 0 && (
          <Chip
            isOn={state.showsSensors.value}
            label={t('wire.sensors', { count: sensors.length })}
            onPress={() => (state.showsSensors.value = !state.showsSensors.value)}
          />
        )}
      </div>
      <label class="wire-choice">
        <span class="visually-hidden">{t('wire.choice')}</span>
        <select
          value={packets.value}
          onChange={({ currentTarget }) => (packets.value = (PACKET_CHOICES[currentTarget.selectedIndex] ?? 'all') satisfies PacketChoice)}
        >
          {PACKET_CHOICES.map((choice) => (
            <option key={choice} value={choice}>
              {t(`wire.choice.${choice}`)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="toggle" aria-pressed={isFollowing.value} onClick={() => (isFollowing.value = !isFollowing.value)}>
        {t('wire.follow')}
      </button>
      <button type="button" class="quiet" onClick={() => state.clear()}>
        {t('wire.clear')}
      </button>
    </div>
  );
}

function Chip({ isOn, label, hue = '', onPress }: { isOn: boolean; label: string; hue?: string; onPress: () => void }) {
  return (
    <button type="button" class={`chip ${hue}`} aria-pressed={isOn} onClick={onPress}>
      <span class="chip-dot" aria-hidden="true" />
      {label}
    </button>
  );
}

const NONE: ReadonlySet<number> = new Set();

/** A packet of the same exchange as the chosen one. */
const KIN = { class: 'is-kin' };

/** Pixels: as the styles have them. */
const TIME_WIDTH = 92;
const SCROLLBAR = 12;
const NARROW = 560;
