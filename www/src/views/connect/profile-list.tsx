// The profiles that this browser keeps, and what to begin with where there is none.

import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { CheckField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { save } from '../../components/save.ts';
import { t, type TextKey } from '../../i18n/index.ts';
import { newProfile, type Profile } from '../../model/profile.ts';
import type { Profiles } from '../../model/profiles.ts';
import { fromFile, haveSecrets, toFile } from '../../model/share.ts';
import type { Workspace } from '../../model/workspace.ts';
import { serverName } from '../shell/connection-name.ts';

interface ProfileListProps {
  readonly workspace: Workspace;
  readonly current: Profile;
  readonly onUse: (profile: Profile) => void;
}

export function ProfileList({ workspace: { profiles }, current, onUse }: ProfileListProps) {
  const all = profiles.all.value;
  return (
    <aside class="profiles" aria-label={t('connect.profiles')}>
      <h3>{t('connect.begin')}</h3>
      <ul>
        {beginnings().map(({ text, server }) => (
          <li key={text}>
            <button type="button" class="profile" onClick={() => onUse(newProfile({ server }))}>
              <span class="profile-name">{t(text)}</span>
              {server !== 'tab' && server !== '' && <span class="profile-server">{server}</span>}
            </button>
          </li>
        ))}
      </ul>
      <h3>{t('connect.profiles')}</h3>
      {all.length === 0 ? (
        <p class="muted">{t('connect.none')}</p>
      ) : (
        <ul>
          {all.map((profile) => (
            <ProfileRow key={profile.id} profiles={profiles} profile={profile} isCurrent={profile.id === current.id} onUse={onUse} />
          ))}
        </ul>
      )}
      {!profiles.isStored.value && <p class="field-fault">{t('connect.notStored')}</p>}
      <Transfer profiles={profiles} />
    </aside>
  );
}

interface RowProps {
  readonly profiles: Profiles;
  readonly profile: Profile;
  readonly isCurrent: boolean;
  readonly onUse: (profile: Profile) => void;
}

function ProfileRow({ profiles, profile, isCurrent, onUse }: RowProps) {
  const name = profile.name || profile.clientId || serverName(profile.server);
  const remove = t('connect.remove', { name });
  return (
    <li class="profile-row">
      <button type="button" class="profile" aria-label={t('connect.use', { name })} aria-pressed={isCurrent} onClick={() => onUse(profile)}>
        <span class="profile-name">{name}</span>
        <span class="profile-server">{serverName(profile.server)}</span>
      </button>
      <button type="button" class="icon-button" aria-label={remove} title={remove} onClick={() => profiles.remove(profile.id)}>
        <Icon name="trash" />
      </button>
    </li>
  );
}

/** To a file and from one. */
function Transfer({ profiles }: { profiles: Profiles }) {
  const outcome = useSignal<{ text: string; isFault: boolean } | null>(null);
  const withSecrets = useSignal(false);
  const chooser = useRef<HTMLInputElement>(null);
  const read = async (file: File) => {
    const read = file.size > LARGEST_FILE ? undefined : fromFile(await file.text());
    if (read) profiles.add(read);
    outcome.value = read
      ? { text: t('connect.imported', { count: read.length }), isFault: false }
      : { text: t('connect.importFailed'), isFault: true };
  };
  const hasSecrets = useMemo(() => haveSecrets(profiles.all.value), [profiles.all.value]);
  return (
    <div class="transfer">
      <button type="button" class="quiet" onClick={() => chooser.current?.click()}>
        <Icon name="import" />
        {t('connect.import')}
      </button>
      <button
        type="button"
        class="quiet"
        disabled={profiles.all.value.length === 0}
        onClick={() => save('mqlite-profiles.json', [toFile(profiles.all.value, withSecrets.value)], 'application/json')}
      >
        <Icon name="export" />
        {t('connect.export')}
      </button>
      {hasSecrets && <CheckField label={t('connect.withSecrets')} value={withSecrets.value} onInput={(value) => (withSecrets.value = value)} />}
      <input
        ref={chooser}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label={t('connect.import')}
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          currentTarget.value = '';
          if (file) void read(file);
        }}
      />
      <p class={outcome.value?.isFault ? 'field-fault' : 'field-hint'} role="status">
        {outcome.value?.text}
      </p>
    </div>
  );
}

/** What is likely to be wanted. */
function beginnings(): { text: TextKey; server: string }[] {
  const { protocol, host, hostname } = location;
  const here = `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/mqtt`;
  const isLocal = hostname === 'localhost' || hostname === '127.0.0.1';
  return [
    { text: 'connect.begin.tab', server: 'tab' },
    { text: 'connect.begin.here', server: here },
    ...(isLocal && here !== LOCAL_WORKER ? [{ text: 'connect.begin.worker' as const, server: LOCAL_WORKER }] : []),
    { text: 'connect.begin.other', server: '' },
  ];
}

/** Where `make worker` serves. */
const LOCAL_WORKER = 'ws://127.0.0.1:8787/mqtt';

/** Bytes. */
const LARGEST_FILE = 4 << 20;
