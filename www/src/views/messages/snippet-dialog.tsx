// How a program or a command does the same, for the tool that the reader chooses.

import { useSignal } from '@preact/signals';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { t } from '../../i18n/index.ts';
import type { Profile } from '../../model/profile.ts';
import type { Action } from '../../model/snippet-source.ts';
import { snippet, type Tool, TOOLS } from '../../model/snippets.ts';
import '../../style/snippet.css';

export interface SnippetDialogProps {
  readonly profile: Profile;
  readonly action: Action;
  readonly onClose: () => void;
}

export function SnippetDialog({ profile, action, onClose }: SnippetDialogProps) {
  const tool = useSignal<Tool>(lastTool);
  const { code, notes } = snippet(tool.value, profile, action);
  return (
    <Dialog title={t('snippet.title')} onClose={onClose}>
      <div class="snippet">
        <div class="snippet-tools" role="group" aria-label={t('snippet.tool')}>
          {TOOLS.map((each) => (
            <button key={each} type="button" class="toggle" aria-pressed={tool.value === each} onClick={() => (tool.value = lastTool = each)}>
              {each === 'mosquitto' ? (action.kind === 'publish' ? 'mosquitto_pub' : 'mosquitto_sub') : NAMES[each]}
            </button>
          ))}
          <span class="snippet-copy">
            <CopyButton label={t('payload.copy')} text={() => code} />
          </span>
        </div>
        <pre class="snippet-code" tabIndex={0} aria-label={t('snippet.code')}>
          {code}
        </pre>
        {notes.length > 0 && (
          <ul class="snippet-notes">
            {notes.map(({ note, what = '' }) => (
              <li key={note}>{t(`snippet.note.${note}`, { what })}</li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  );
}

/** The one that was looked at last, while the page is there. */
let lastTool: Tool = 'mqlite';

const NAMES = { mqlite: 'mqlite', mqttjs: 'MQTT.js', mqttx: 'MQTTX CLI' } as const;
