// The sections of the connect form about the server, the client, its credentials and its session.

import { useSignal } from '@preact/signals';
import { CheckField, ChoiceField, NumberField, TextField } from '../../components/field.tsx';
import { t } from '../../i18n/index.ts';
import type { ProfileProperties } from '../../model/profile.ts';
import type { SectionProps } from './connect-form.tsx';
import { Pairs } from './pairs.tsx';
import { Fold, faultText, Section } from './section.tsx';

export function ServerSection({ profile: { name, server }, faults, change }: SectionProps) {
  const isTab = server === 'tab';
  return (
    <Section title="connect.section.server">
      <ChoiceField
        label={t('connect.place')}
        value={isTab ? 'tab' : 'url'}
        choices={[
          ['tab', t('connect.place.tab')],
          ['url', t('connect.place.url')],
        ]}
        onInput={(place) => change({ server: place === 'tab' ? 'tab' : '' })}
      />
      {!isTab && (
        <TextField
          label={t('connect.address')}
          width="wide"
          type="url"
          placeholder="wss://"
          hint={t('connect.address.hint')}
          fault={faultText(faults['server'])}
          value={server}
          onInput={(text) => change({ server: text.trim() })}
        />
      )}
      <TextField label={t('connect.name')} width="full" hint={t('connect.name.hint')} value={name} onInput={(text) => change({ name: text })} />
    </Section>
  );
}

export function ClientSection({ profile: { protocolVersion, clientId, keepAlive, cleanStart, reconnect }, faults, change }: SectionProps) {
  return (
    <Section title="connect.section.client">
      <TextField
        label={t('connect.clientId')}
        width="wide"
        hint={t('connect.clientId.hint')}
        fault={faultText(faults['clientId'])}
        value={clientId}
        onInput={(text) => change({ clientId: text })}
      />
      <ChoiceField
        label={t('connect.version')}
        value={protocolVersion}
        choices={[
          [5, 'MQTT 5.0'],
          [4, 'MQTT 3.1.1'],
        ]}
        onInput={(version) => change({ protocolVersion: version })}
      />
      <NumberField
        label={t('connect.keepAlive')}
        fault={faultText(faults['keepAlive'])}
        value={keepAlive}
        onInput={(seconds) => change({ keepAlive: seconds ?? 0 })}
      />
      <div class="checks">
        <CheckField
          label={t(protocolVersion === 5 ? 'connect.cleanStart' : 'connect.cleanSession')}
          value={cleanStart}
          onInput={(value) => change({ cleanStart: value })}
        />
        <CheckField label={t('connect.reconnect')} value={reconnect} onInput={(value) => change({ reconnect: value })} />
      </div>
    </Section>
  );
}

export function CredentialsSection({ profile, faults, change }: SectionProps) {
  const { userName, password, keepsPassword, authentication } = profile;
  const isShown = useSignal(false);
  return (
    <Fold title="connect.section.credentials" isOpen={userName !== '' || password !== ''}>
      <TextField
        label={t('connect.userName')}
        width="wide"
        fault={faultText(faults['userName'])}
        value={userName}
        onInput={(text) => change({ userName: text })}
      />
      <TextField
        label={t('connect.password')}
        width="wide"
        type={isShown.value ? 'text' : 'password'}
        fault={faultText(faults['password'])}
        value={password}
        onInput={(text) => change({ password: text })}
      />
      <ChoiceField
        label={t('connect.authentication')}
        fault={faultText(faults['authentication'])}
        value={authentication}
        choices={[
          ['password', t('connect.authentication.password')],
          ['scram', t('connect.authentication.scram')],
        ]}
        onInput={(value) => change({ authentication: value })}
      />
      <div class="checks">
        <CheckField label={t('connect.password.show')} value={isShown.value} onInput={(value) => (isShown.value = value)} />
        <CheckField label={t('connect.keepPassword')} value={keepsPassword} onInput={(value) => change({ keepsPassword: value })} />
      </div>
      {keepsPassword && <p class="field-hint field-full">{t('connect.keepPassword.hint')}</p>}
    </Fold>
  );
}

export function SessionSection({ profile: { protocolVersion, properties }, faults, change }: SectionProps) {
  if (protocolVersion === 4) return null;
  const set = (part: Partial<ProfileProperties>) => change({ properties: { ...properties, ...part } });
  const isSaid = NUMBERS.some(([name]) => properties[name] !== null) || properties.userProperties.length > 0;
  return (
    <Fold title="connect.section.session" isOpen={isSaid}>
      {NUMBERS.map(([name, text]) => (
        <NumberField
          key={name}
          label={t(text)}
          placeholder={t('connect.default')}
          fault={faultText(faults[`properties.${name}`])}
          value={properties[name]}
          onInput={(value) => set({ [name]: value })}
        />
      ))}
      <div class="checks">
        <CheckField
          label={t('connect.requestResponseInformation')}
          value={properties.requestResponseInformation}
          onInput={(value) => set({ requestResponseInformation: value })}
        />
        <CheckField
          label={t('connect.requestProblemInformation')}
          value={properties.requestProblemInformation}
          onInput={(value) => set({ requestProblemInformation: value })}
        />
      </div>
      <Pairs pairs={properties.userProperties} fault={faultText(faults['properties.userProperties'])} onChange={(userProperties) => set({ userProperties })} />
    </Fold>
  );
}

const NUMBERS = [
  ['sessionExpiryInterval', 'connect.sessionExpiry'],
  ['receiveMaximum', 'connect.receiveMaximum'],
  ['maximumPacketSize', 'connect.maximumPacketSize'],
  ['topicAliasMaximum', 'connect.topicAliasMaximum'],
] as const;
