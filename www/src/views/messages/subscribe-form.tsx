// Subscribes to a Topic Filter, with all that can be said of a subscription.

import { CheckField, ChoiceField, NumberField, QosField, TextField } from '../../components/field.tsx';
import { Disclosure } from '../../components/disclosure.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { checkSubscriptionDraft, type SubscriptionDraft, toSubscription } from '../../model/subscription-draft.ts';
import { faultText } from '../connect/section.tsx';
import { connectionName } from '../shell/connection-name.ts';
import { ColourField } from './colour-field.tsx';
import { SnippetButton } from './snippet-button.tsx';
import { subscribeState } from './subscribe-state.ts';

export function SubscribeForm({ connection }: { connection: Connection }) {
  const { draft, isOpen } = subscribeState(connection);
  const { filter, qos } = draft.value;
  const isMqtt5 = connection.profile.protocolVersion === 5;
  const faults = isMqtt5 ? checkSubscriptionDraft(draft.value) : {};
  const isFaulty = Object.keys(faults).length > 0;
  const change = (part: Partial<SubscriptionDraft>) => (draft.value = { ...draft.value, ...part });
  return (
    <form
      class="fields"
      aria-label={t('subscriptions.as', { name: connectionName(connection) })}
      onSubmit={(event) => {
        event.preventDefault();
        if (isFaulty) isOpen.value = true;
        else void connection.subscribe(toSubscription(draft.value, isMqtt5));
      }}
    >
      <TextField label={t('subscriptions.filter')} width="full" value={filter} onInput={(text) => change({ filter: text })} />
      <QosField value={qos} onInput={(value) => change({ qos: value })} />
      <Disclosure title={t('subscriptions.options')} isOpen={isOpen}>
        {() => (
          <>
            {isMqtt5 ? <Options draft={draft.value} faults={faults} change={change} /> : <p class="field-hint">{t('connect.mqtt5Only')}</p>}
            <ColourField value={draft.value.colour} onInput={(colour) => change({ colour })} />
          </>
        )}
      </Disclosure>
      <div class="form-actions">
        <SnippetButton connection={connection} action={() => ({ kind: 'subscribe', subscription: toSubscription(draft.value, isMqtt5) })} />
        <button type="submit" disabled={connection.status.value !== 'connected'}>
          {t('subscriptions.subscribe')}
        </button>
      </div>
    </form>
  );
}

interface OptionsProps {
  readonly draft: SubscriptionDraft;
  readonly faults: ReturnType<typeof checkSubscriptionDraft>;
  readonly change: (part: Partial<SubscriptionDraft>) => void;
}

function Options({ draft, faults, change }: OptionsProps) {
  const { group, filter, noLocal, retainAsPublished, retainHandling, identifier } = draft;
  return (
    <>
      <TextField
        label={t('subscriptions.group')}
        width="full"
        hint={group === '' ? t('subscriptions.group.hint') : t('subscriptions.group.becomes', { filter: `$share/${group}/${filter}` })}
        fault={faultText(faults['group'])}
        value={group}
        onInput={(text) => change({ group: text })}
      />
      <ChoiceField<SubscriptionDraft['retainHandling']>
        label={t('subscriptions.retainHandling')}
        width="full"
        value={retainHandling}
        choices={[
          ['send', t('subscriptions.retainHandling.send')],
          ['sendIfNew', t('subscriptions.retainHandling.sendIfNew')],
          ['doNotSend', t('subscriptions.retainHandling.doNotSend')],
        ]}
        onInput={(value) => change({ retainHandling: value })}
      />
      <div class="checks">
        <CheckField label={t('subscriptions.noLocal')} value={noLocal} onInput={(value) => change({ noLocal: value })} />
        <CheckField label={t('subscriptions.retainAsPublished')} value={retainAsPublished} onInput={(value) => change({ retainAsPublished: value })} />
      </div>
      {faults['noLocal'] && (
        <p class="field-fault field-full" role="alert">
          {faultText(faults['noLocal'])}
        </p>
      )}
      <NumberField
        label={t('subscriptions.identifier')}
        width="full"
        placeholder={t('subscriptions.identifier.none')}
        fault={faultText(faults['identifier'])}
        value={identifier}
        onInput={(value) => change({ identifier: value })}
      />
    </>
  );
}
