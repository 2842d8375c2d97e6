// A measurement in words: for the view, and as a text to be passed on.

import { number, t } from '../../i18n/index.ts';
import type { Bench } from '../../model/bench.ts';
import { publishes, type SoundSetting } from '../../model/bench-setting.ts';

/** A duration as it is read: three digits are more than is known. */
export function milliseconds(value: number | null): string {
  return value === null ? '–' : number(value, { style: 'unit', unit: 'millisecond', maximumSignificantDigits: 3 });
}

/** How many a second, over the whole time. */
export function rateText({ tally, elapsed }: Bench): string {
  return elapsed === 0 ? '–' : t('bench.rate', { rate: number(tally.counted / elapsed, { maximumFractionDigits: 0 }) });
}

/** What it is that is counted: nothing that was merely sent, where more is known. */
export function countedText({ setting, profile }: Bench): string {
  if (setting.scenario !== 'publish' || setting.qos > 0) return t(`bench.counted.${setting.scenario}`);
  return t(profile ? 'bench.counted.handedOver' : 'bench.counted.broker');
}

export function serverText({ profile }: Bench): string {
  return profile ? profile.server : t('bench.server.tab');
}

export function statusText(bench: Bench): string {
  const { duration } = bench.setting;
  if (bench.status.value === 'preparing') return t('bench.status.preparing', { count: bench.connected });
  return t(`bench.status.${bench.status.value}`, { seconds: number(bench.elapsed, { maximumFractionDigits: 0 }), duration });
}

export function settingText(setting: SoundSetting): string {
  const { scenario, clients, payload, qos, rate, duration } = setting;
  return [
    `${t(`bench.clients.${scenario}`)}: ${number(clients)}`,
    ...(scenario === 'connect' ? [] : [t('messages.qos', { qos })]),
    ...(publishes(setting) ? [t('payload.bytes', { count: payload })] : []),
    rate === null ? t('bench.pace.most') : t('bench.rate', { rate: number(rate) }),
    number(duration, { style: 'unit', unit: 'second' }),
  ].join(', ');
}

/** All that somebody else needs to know to make sense of it. */
export function reportText(bench: Bench): string {
  const { setting, profile, tally, missing } = bench;
  const { durations } = tally;
  const status = bench.status.value;
  const spread = ([['p50', 0.5], ['p95', 0.95], ['p99', 0.99]] as const).map(([name, part]) => `${name} ${milliseconds(durations.at(part))}`);
  const lines: [string, string][] = [
    [t('bench.scenario'), t(`bench.scenario.${setting.scenario}`)],
    [t('bench.server'), profile ? `${profile.server} (${profile.protocolVersion === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'})` : t('bench.server.tab')],
    [t('bench.setting'), settingText(setting)],
    [t('bench.outcome'), statusText(bench)],
    [t(`bench.rateOf.${setting.scenario}`), rateText(bench)],
    ...(durations.count > 0
      ? [[t(`bench.durationOf.${setting.scenario}`), [...spread, `${t('bench.most')} ${milliseconds(durations.most)}`].join(', ')] as [string, string]]
      : []),
    [countedText(bench), number(tally.counted)],
    [t(`bench.sent.${setting.scenario}`), number(tally.sent)],
    ...(publishes(setting) && setting.qos > 0 ? [[t('bench.acknowledged'), number(tally.acknowledged)] as [string, string]] : []),
    [t('bench.late'), number(tally.late)],
    [t(status === 'done' ? 'bench.missing' : 'bench.underWay'), number(missing)],
    ...(setting.rate === null ? [] : [[t('bench.behind'), number(tally.behind)] as [string, string]]),
    [t('bench.clock'), milliseconds(clockStep())],
    [t('bench.processors'), number(navigator.hardwareConcurrency)],
    [t('bench.userAgent'), navigator.userAgent],
    [t('bench.time'), new Date(bench.began).toISOString()],
  ];
  const notes = [t(profile ? 'bench.note.url' : 'bench.note.tab'), ...(bench.wasHidden ? [t('bench.wasHidden')] : [])];
  return [t('bench.report'), ...lines.map(([name, value]) => `${name}: ${value}`), ...notes, ''].join('\n');
}

/** The least by which the browser's clock moves, in milliseconds: no duration is known better. */
function clockStep(): number {
  let least = Infinity;
  const until = performance.now() + 5;
  for (let [before, now] = [performance.now(), 0]; before < until; before = now) {
    now = performance.now();
    if (now > before) least = Math.min(least, now - before);
  }
  return least;
}
