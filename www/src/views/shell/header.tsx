// The page's head: what this is, how the broker in it does, and how the page looks.

import { Icon } from '../../components/icon.tsx';
import { locale, number, setLocale, t } from '../../i18n/index.ts';
import type { Workspace } from '../../model/workspace.ts';
import { nextTheme, theme } from '../../theme.ts';

export function Header({ workspace }: { workspace: Workspace }) {
  return (
    <header class="head">
      <img class="logo" src="./icon.svg" alt="" width="28" height="28" />
      <h1>MQlite</h1>
      <Pulse workspace={workspace} />
      <div class="head-tools">
        <LanguageButton />
        <ThemeButton />
      </div>
    </header>
  );
}

/** How the broker in this page does, in figures. */
function Pulse({ workspace: { broker } }: { workspace: Workspace }) {
  const status = broker.status.value;
  const statistics = broker.statistics.value;
  const isRunning = broker.sensors.isRunning.value;
  return (
    <div class="pulse" role="group" aria-label={t('shell.broker')}>
      <span class={`lamp lamp-${status}`} aria-hidden="true" />
      <span class="pulse-status" role="status">
        {t(`shell.broker.${status}`)}
      </span>
      {statistics && status === 'open' && (
        <span class="pulse-figures">
          <span>{t('shell.broker.clients', { count: statistics.clientsConnected })}</span>
          <span title={number(statistics.messagesReceived)}>{t('shell.broker.messages', { count: statistics.messagesReceived })}</span>
        </span>
      )}
      {status === 'open' && (
        <button
          type="button"
          class="toggle"
          aria-pressed={isRunning}
          title={t(isRunning ? 'shell.sensors.stop' : 'shell.sensors.start')}
          onClick={() => void (isRunning ? broker.sensors.stop() : broker.sensors.start())}
        >
          <Icon name={isRunning ? 'pause' : 'play'} />
          <span>{t('shell.sensors')}</span>
        </button>
      )}
    </div>
  );
}

/** The button names the language that it leads to, in that language. */
function LanguageButton() {
  const isEnglish = locale.value === 'en';
  return (
    <button
      type="button"
      class="quiet language"
      lang={isEnglish ? 'zh-CN' : 'en'}
      aria-label={isEnglish ? '切换到中文' : 'Switch to English'}
      title={isEnglish ? '切换到中文' : 'Switch to English'}
      onClick={() => void setLocale(isEnglish ? 'zh' : 'en').catch(() => {})}
    >
      {isEnglish ? '中文' : 'English'}
    </button>
  );
}

function ThemeButton() {
  const label = t('shell.theme', { theme: t(`shell.theme.${theme.value}`) });
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={nextTheme}>
      <Icon name={theme.value} />
    </button>
  );
}
