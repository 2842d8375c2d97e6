// The connect form as a dialog, beside the profiles that this browser keeps.

import { useSignal } from '@preact/signals';
import { Dialog } from '../../components/dialog.tsx';
import { t } from '../../i18n/index.ts';
import type { Profile } from '../../model/profile.ts';
import type { Draft, Workspace } from '../../model/workspace.ts';
import { connectionName } from '../shell/connection-name.ts';
import { ConnectForm } from './connect-form.tsx';
import { ProfileList } from './profile-list.tsx';

export interface ConnectDialogProps {
  readonly workspace: Workspace;
  readonly draft: Draft;
}

export function ConnectDialog({ workspace, draft: { profile: given, connection, isForeign = false } }: ConnectDialogProps) {
  const profile = useSignal(given);
  const title = connection ? t('connect.edit', { name: connectionName(connection) }) : t('connect.new');
  const close = () => (workspace.draft.value = null);
  const connect = (wanted: Profile) => {
    close();
    if (!connection) return void workspace.add(wanted).connect();
    workspace.selected.value = connection;
    void workspace.connectAs(connection, wanted);
  };
  return (
    <Dialog title={title} onClose={close}>
      <div class="connect">
        <ProfileList workspace={workspace} current={profile.value} onUse={(wanted) => (profile.value = wanted)} />
        <ConnectForm profile={profile} profiles={workspace.profiles} isForeign={isForeign && profile.value.id === given.id} onConnect={connect} />
      </div>
    </Dialog>
  );
}
