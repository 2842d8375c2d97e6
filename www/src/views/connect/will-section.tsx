// The section of the connect form about the will.

import { CheckField, NumberField, QosField, TextArea, TextField } from '../../components/field.tsx';
import { t } from '../../i18n/index.ts';
import { newWill, type ProfileWill } from '../../model/profile.ts';
import type { SectionProps } from './connect-form.tsx';
import { Pairs } from './pairs.tsx';
import { Fold, faultText } from './section.tsx';

export function WillSection({ profile: { will, protocolVersion, clientId }, faults, change }: SectionProps) {
  return (
    <Fold title="connect.section.will" isOpen={will !== null}>
      <div class="checks">
        <CheckField
          label={t('connect.will.use')}
          value={will !== null}
          onInput={(value) => change({ will: value ? newWill({ topic: `${clientId || 'client'}/status`, payload: 'offline' }) : null })}
        />
      </div>
      <p class="field-hint field-full">{t('connect.will.hint')}</p>
      {will && <WillFields will={will} isMqtt5={protocolVersion === 5} faults={faults} set={(part) => change({ will: { ...will, ...part } })} />}
    </Fold>
  );
}

interface WillFieldsProps extends Pick<SectionProps, 'faults'> {
  readonly will: ProfileWill;
  readonly isMqtt5: boolean;
  readonly set: (part: Partial<ProfileWill>) => void;
}

function WillFields({ will, isMqtt5, faults, set }: WillFieldsProps) {
  const fault = (name: keyof ProfileWill) => faultText(faults[`will.${name}`]);
  return (
    <>
      <TextField label={t('connect.will.topic')} width="full" fault={fault('topic')} value={will.topic} onInput={(topic) => set({ topic })} />
      <TextArea label={t('connect.will.payload')} width="full" fault={fault('payload')} value={will.payload} onInput={(payload) => set({ payload })} />
      <QosField value={will.qos} onInput={(qos) => set({ qos })} />
      <CheckField label={t('publish.retain')} value={will.retain} onInput={(retain) => set({ retain })} />
      {isMqtt5 && (
        <>
          <NumberField
            label={t('connect.will.delay')}
            placeholder="0"
            fault={fault('willDelayInterval')}
            value={will.willDelayInterval}
            onInput={(willDelayInterval) => set({ willDelayInterval })}
          />
          <NumberField
            label={t('connect.will.expiry')}
            placeholder={t('connect.default')}
            fault={fault('messageExpiryInterval')}
            value={will.messageExpiryInterval}
            onInput={(messageExpiryInterval) => set({ messageExpiryInterval })}
          />
          {TEXTS.map(([name, text]) => (
            <TextField key={name} label={t(text)} fault={fault(name)} value={will[name]} onInput={(value) => set({ [name]: value })} />
          ))}
          <CheckField
            label={t('connect.will.utf8')}
            value={will.payloadFormatIndicator}
            onInput={(payloadFormatIndicator) => set({ payloadFormatIndicator })}
          />
          <Pairs pairs={will.userProperties} fault={fault('userProperties')} onChange={(userProperties) => set({ userProperties })} />
        </>
      )}
    </>
  );
}

const TEXTS = [
  ['contentType', 'connect.will.contentType'],
  ['responseTopic', 'connect.will.responseTopic'],
  ['correlationData', 'connect.will.correlationData'],
] as const;
