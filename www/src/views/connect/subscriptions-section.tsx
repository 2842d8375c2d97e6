// The section of the connect form about what is subscribed to at once.

import { QosField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import type { ProfileSubscription } from '../../model/profile.ts';
import type { SectionProps } from './connect-form.tsx';
import { Fold, faultText } from './section.tsx';

export function SubscriptionsSection({ profile: { subscriptions }, faults, change }: SectionProps) {
  const replace = (index: number, part: Partial<ProfileSubscription>) =>
    change({ subscriptions: subscriptions.map((other, at) => (at === index ? { ...other, ...part } : other)) });
  const remove = (index: number) => change({ subscriptions: subscriptions.filter((_, at) => at !== index) });
  return (
    <Fold title="connect.section.subscriptions" isOpen={subscriptions.length > 0}>
      <p class="field-hint field-full">{t('connect.subscriptions.hint')}</p>
      {subscriptions.map(({ filter, qos }, index) => (
        <div class="planned" key={index}>
          <TextField
            label={t('subscriptions.filter')}
            width="wide"
            fault={faultText(faults[`subscriptions.${index}`])}
            value={filter}
            onInput={(text) => replace(index, { filter: text })}
          />
          <QosField value={qos} onInput={(value) => replace(index, { qos: value })} />
          <button
            type="button"
            class="icon-button"
            aria-label={t('connect.subscriptions.remove', { number: index + 1 })}
            onClick={() => remove(index)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => change({ subscriptions: [...subscriptions, { filter: '#', qos: 0 }] })}>
        <Icon name="add" />
        {t('connect.subscriptions.add')}
      </button>
    </Fold>
  );
}
