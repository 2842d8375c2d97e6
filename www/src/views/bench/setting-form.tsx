// What is to be measured: scenario, broker, and numbers.

import { useSignal } from '@preact/signals';
import { ChoiceField, NumberField, QosField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { number, t } from '../../i18n/index.ts';
import { type BenchSetting, INITIAL_SETTING, isSound, publishes, RANGES, SCENARIOS, type Scenario, settingFaults } from '../../model/bench-setting.ts';
import type { BenchState } from './bench-state.ts';

export function SettingForm({ state }: { state: BenchState }) {
  const setting = state.setting.value;
  const isTried = useSignal(false);
  const faults = isTried.value ? settingFaults(setting) : {};
  const change = (changed: Partial<BenchSetting>) => (state.setting.value = { ...setting, ...changed });
  const fault = (field: keyof typeof RANGES) => {
    const [least, most] = RANGES[field];
    return faults[field] && t('bench.range', { least, most });
  };
  return (
    <form
      class="panel bench-form"
      aria-label={t('bench.setting')}
      onSubmit={(event) => {
        event.preventDefault();
        if (state.isBusy) return;
        isTried.value = !isSound(setting);
        state.start();
      }}
    >
      <ChoiceField<Scenario>
        label={t('bench.scenario')}
        width="full"
        hint={t(`bench.scenario.${setting.scenario}.hint`)}
        value={setting.scenario}
        choices={SCENARIOS.map((scenario) => [scenario, t(`bench.scenario.${scenario}`)] as const)}
        onInput={(scenario) => change({ scenario })}
      />
      <Server state={state} />
      <NumberField label={t(`bench.clients.${setting.scenario}`)} value={setting.clients} fault={fault('clients')} onInput={(clients) => change({ clients })} />
      <NumberField label={t('bench.duration')} value={setting.duration} fault={fault('duration')} onInput={(duration) => change({ duration })} />
      {setting.scenario !== 'connect' && <QosField value={setting.qos} onInput={(qos) => change({ qos })} />}
      {publishes(setting) && (
        <NumberField label={t('bench.payload')} value={setting.payload} fault={fault('payload')} onInput={(payload) => change({ payload })} />
      )}
      <Pace setting={setting} fault={fault('rate')} change={change} />
      {setting.scenario !== 'connect' && (
        <TextField label={t('bench.topic')} value={setting.topic} fault={faults.topic && t('bench.badTopic')} onInput={(topic) => change({ topic })} />
      )}
      <Actions state={state} />
      <p class="muted bench-note">{t(state.profile ? 'bench.note.url' : 'bench.note.tab')}</p>
    </form>
  );
}

function Server({ state }: { state: BenchState }) {
  return (
    <ChoiceField
      label={t('bench.server')}
      width="full"
      hint={state.profiles.length === 0 ? t('bench.server.hint') : undefined}
      value={state.profile?.id ?? 'tab'}
      choices={[
        ['tab', t('bench.server.tab')] as const,
        ...state.profiles.map(({ id, name, server }) => [id, name === '' ? server : `${name} (${server})`] as const),
      ]}
      onInput={(server) => (state.server.value = server)}
    />
  );
}

interface PaceProps {
  readonly setting: BenchSetting;
  readonly fault: string | undefined;
  readonly change: (changed: Partial<BenchSetting>) => void;
}

function Pace({ setting: { rate, scenario }, fault, change }: PaceProps) {
  return (
    <>
      <ChoiceField<'most' | 'rate'>
        label={t('bench.pace')}
        value={rate === null ? 'most' : 'rate'}
        choices={[
          ['most', t('bench.pace.most')],
          ['rate', t('bench.pace.rate')],
        ]}
        onInput={(pace) => change({ rate: pace === 'most' ? null : INITIAL_RATE })}
      />
      {rate !== null && (
        // An empty field is a fault here, and not the other choice.
        <NumberField
          label={t(`bench.rate.${scenario}`)}
          value={rate}
          fault={fault}
          onInput={(typed) => change({ rate: typed ?? Number.NaN })}
        />
      )}
    </>
  );
}

function Actions({ state }: { state: BenchState }) {
  const { isBusy } = state;
  const { duration } = state.runs.value[0]?.setting ?? INITIAL_SETTING;
  return (
    <div class="bench-actions">
      {/* The same button, so that it keeps the focus. */}
      <button type={isBusy ? 'button' : 'submit'} class={isBusy ? 'secondary' : undefined} onClick={() => isBusy && state.stop()}>
        <Icon name={isBusy ? 'close' : 'play'} />
        <span>{isBusy ? t('bench.stop') : t('bench.start')}</span>
      </button>
      {isBusy && <span class="muted">{t('bench.lasts', { duration: number(duration) })}</span>}
    </div>
  );
}

const INITIAL_RATE = 1_000;
