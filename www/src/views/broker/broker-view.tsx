// The inside of the broker in this page: what it has, where it keeps it, how far it goes, and what a crash costs.

import '../../style/broker.css';
import { t } from '../../i18n/index.ts';
import type { ViewProps } from '../index.ts';
import { CrashPanel } from './crash-panel.tsx';
import { FiguresPanel } from './figures-panel.tsx';
import { LimitsPanel } from './limits-panel.tsx';
import { RetainedPanel } from './retained-panel.tsx';
import { SessionsPanel } from './sessions-panel.tsx';
import { StoragePanel } from './storage-panel.tsx';

export function BrokerView({ workspace: { broker } }: ViewProps) {
  const isRunning = broker.status.value === 'open';
  return (
    <div class="broker">
      <h2 class="visually-hidden">{t('view.broker')}</h2>
      <div class="broker-main">
        <CrashPanel broker={broker} />
        {isRunning && <SessionsPanel broker={broker} />}
        {isRunning && <RetainedPanel broker={broker} />}
        <LimitsPanel />
      </div>
      <div class="broker-side">
        <StoragePanel broker={broker} />
        <FiguresPanel broker={broker} />
      </div>
    </div>
  );
}
