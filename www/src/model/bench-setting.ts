// What a measurement is to do, and what is wrong with that. Knows nothing of how it is done.

import type { QoS } from 'mqlite/broker';
import { topicFault } from './profile.ts';

/**
 * `connect`: clients that come and go. `publish`: publishers without subscribers. `subscribe`: clients that subscribe and
 * unsubscribe. `oneToOne`: each publisher has one subscriber. `fanOut`: one publisher, many subscribers.
 */
export const SCENARIOS = ['connect', 'publish', 'subscribe', 'oneToOne', 'fanOut'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** A measurement as it is asked for; `NaN` and `null` stand for fields without a usable number. */
export interface BenchSetting {
  readonly scenario: Scenario;
  /** Clients; with `oneToOne` pairs, with `fanOut` subscribers. */
  readonly clients: number | null;
  /** Bytes. */
  readonly payload: number | null;
  readonly qos: QoS;
  /** A second, in all; `null` is as fast as possible. */
  readonly rate: number | null;
  /** Seconds. */
  readonly duration: number | null;
  /** All topics are below it. */
  readonly topic: string;
}

/** A setting without faults. */
export interface SoundSetting extends BenchSetting {
  readonly clients: number;
  readonly payload: number;
  readonly duration: number;
}

/** What is wrong with a setting, by field. */
export type SettingFaults = { readonly [field in 'clients' | 'payload' | 'rate' | 'duration' | 'topic']?: true };

export const INITIAL_SETTING: SoundSetting = { scenario: 'oneToOne', clients: 5, payload: 64, qos: 0, rate: null, duration: 10, topic: 'bench' };

/** What each number may be, both included. A time stamp is in each payload; browsers open no more WebSockets at a time. */
export const RANGES = { clients: [1, 200], payload: [16, 1_000_000], rate: [1, 100_000], duration: [1, 600] } as const;

/** The faults of a setting; none says that it is sound. */
export function settingFaults(setting: BenchSetting): SettingFaults {
  const faults: { -readonly [field in keyof SettingFaults]: true } = {};
  for (const field of ['clients', 'payload', 'duration'] as const) if (!isWithin(setting[field], RANGES[field])) faults[field] = true;
  if (setting.rate !== null && !isWithin(setting.rate, RANGES.rate)) faults.rate = true;
  if (topicFault(setting.topic) || setting.topic.startsWith('$')) faults.topic = true;
  return faults;
}

/** Whether it can be run as it is. */
export function isSound(setting: BenchSetting): setting is SoundSetting {
  return Object.keys(settingFaults(setting)).length === 0;
}

/** Whether messages are published, so that payload and topic matter. */
export function publishes({ scenario }: BenchSetting): boolean {
  return scenario !== 'connect' && scenario !== 'subscribe';
}

function isWithin(value: number | null, [least, most]: readonly [number, number]): boolean {
  return value !== null && Number.isInteger(value) && value >= least && value <= most;
}
