// What is to go wrong with one connection: cut, lose, double, delay, and a small Receive Maximum.

import { useSignal } from '@preact/signals';
import { ChoiceField, NumberField } from '../../components/field.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { FAULT_ACTIONS, type FaultAction } from '../../model/faults.ts';
import { PACKET_NAMES, type PacketName } from '../../model/packet-names.ts';
import type { Direction } from '../../model/wire-log.ts';
import type { Workspace } from '../../model/workspace.ts';
import { connectionName } from '../shell/connection-name.ts';

export function FaultsPanel({ connection, workspace }: { connection: Connection; workspace: Workspace }) {
  const { faults } = connection;
  const isConnected = connection.status.value === 'connected';
  return (
    <section class="panel" aria-label={t('wire.faults')}>
      <div class="toolbar">
        <h2 class="panel-title">{t('wire.faults')}</h2>
        <span class="muted">{connectionName(connection)}</span>
        {faults.areAny && (
          <button type="button" class="quiet" onClick={() => faults.clear()}>
            {t('wire.faults.clear')}
          </button>
        )}
      </div>
      <div class="fault-cut">
        <button type="button" class="secondary danger" disabled={!isConnected} onClick={() => faults.cut()}>
          {t('wire.cutNow')}
        </button>
        <p class="muted">{t('wire.cutNow.text')}</p>
      </div>
      <NextPacket connection={connection} />
      <ul class="fault-rules" aria-label={t('wire.faults.pending')}>
        {faults.rules.value.map(({ number, action, packet, direction }) => (
          <li key={number} class="chip chip-fault">
            {t(`wire.rule.${action}`, { packet: packet === 'any' ? t('wire.anyPacket') : packet, direction: t(`wire.direction.${direction}`) })}
            <button type="button" class="chip-close" aria-label={t('wire.rule.remove')} onClick={() => faults.remove(number)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <div class="fields">
        {(['sent', 'received'] as const).map((direction) => (
          <NumberField
            key={direction}
            label={t(`wire.delay.${direction}`)}
            value={faults.delay(direction)}
            onInput={(value) => faults.setDelay(direction, value ?? 0)}
          />
        ))}
      </div>
      <ReceiveMaximum connection={connection} workspace={workspace} />
      <p class="muted fault-hint">{t('wire.faults.text')}</p>
    </section>
  );
}

function NextPacket({ connection: { faults } }: { connection: Connection }) {
  const action = useSignal<FaultAction>('drop');
  const packet = useSignal<PacketName | 'any'>('PUBACK');
  const direction = useSignal<Direction>('received');
  return (
    <form
      class="fields"
      aria-label={t('wire.nextPacket')}
      onSubmit={(event) => {
        event.preventDefault();
        faults.add(action.value, direction.value, packet.value);
      }}
    >
      <ChoiceField
        label={t('wire.action')}
        value={action.value}
        choices={FAULT_ACTIONS.map((each) => [each, t(`wire.action.${each}`)])}
        onInput={(value) => (action.value = value)}
      />
      <ChoiceField
        label={t('wire.packet')}
        value={packet.value}
        choices={(['any', ...PACKET_NAMES] as const).map((each) => [each, each === 'any' ? t('wire.anyPacket') : each])}
        onInput={(value) => (packet.value = value)}
      />
      <ChoiceField
        label={t('wire.direction')}
        value={direction.value}
        choices={(['sent', 'received'] as const).map((each) => [each, t(`wire.direction.${each}`)])}
        onInput={(value) => (direction.value = value)}
      />
      <button type="submit" class="secondary">
        {t('wire.add')}
      </button>
    </form>
  );
}

/** A connect option: it counts from the next connection on. */
function ReceiveMaximum({ connection, workspace }: { connection: Connection; workspace: Workspace }) {
  const { profile } = connection;
  const value = useSignal<number | null>(profile.properties.receiveMaximum ?? 1);
  if (profile.protocolVersion === 4) return null;
  const isFaulty = value.value !== null && !(value.value >= 1 && value.value <= 65_535);
  return (
    <form
      class="fields"
      aria-label={t('wire.receiveMaximum')}
      onSubmit={(event) => {
        event.preventDefault();
        if (isFaulty) return;
        void workspace.connectAs(connection, { ...connection.profileNow, properties: { ...profile.properties, receiveMaximum: value.value } });
      }}
    >
      <NumberField
        label={t('wire.receiveMaximum')}
        value={value.value}
        placeholder="65535"
        fault={isFaulty ? t('wire.receiveMaximum.fault') : undefined}
        onInput={(next) => (value.value = next)}
      />
      <button type="submit" class="secondary">
        {t('wire.connectAgain')}
      </button>
    </form>
  );
}
