// What MQTT 5 lets a publisher say beside the payload.

import { CheckField, NumberField, TextField } from '../../components/field.tsx';
import { t } from '../../i18n/index.ts';
import { Pairs } from '../connect/pairs.tsx';
import { draftFaultText } from './publish-faults.ts';
import type { PublishPartProps } from './publish-form.tsx';
import { changeDraft } from './publish-state.ts';

export function PublishProperties({ state, faults }: PublishPartProps) {
  const { contentType, messageExpiryInterval, payloadFormatIndicator, responseTopic, correlationData, userProperties } = state.draft.value;
  return (
    <>
      <TextField
        label={t('connect.will.contentType')}
        placeholder="application/json"
        fault={draftFaultText(faults.contentType)}
        value={contentType}
        onInput={(text) => changeDraft(state, { contentType: text })}
      />
      <NumberField
        label={t('connect.will.expiry')}
        placeholder={t('publish.never')}
        fault={draftFaultText(faults.messageExpiryInterval)}
        value={messageExpiryInterval}
        onInput={(value) => changeDraft(state, { messageExpiryInterval: value })}
      />
      <TextField
        label={t('connect.will.responseTopic')}
        fault={draftFaultText(faults.responseTopic)}
        value={responseTopic}
        onInput={(text) => changeDraft(state, { responseTopic: text })}
      />
      <TextField
        label={t('connect.will.correlationData')}
        fault={draftFaultText(faults.correlationData)}
        value={correlationData}
        onInput={(text) => changeDraft(state, { correlationData: text })}
      />
      <div class="checks">
        <CheckField
          label={t('connect.will.utf8')}
          value={payloadFormatIndicator}
          onInput={(value) => changeDraft(state, { payloadFormatIndicator: value })}
        />
      </div>
      <Pairs
        pairs={userProperties}
        fault={draftFaultText(faults.userProperties)}
        onChange={(pairs) => changeDraft(state, { userProperties: pairs })}
      />
    </>
  );
}
