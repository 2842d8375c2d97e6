// User Properties: names and values, in order.

import type { UserProperty } from 'mqlite/broker';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';

interface PairsProps {
  readonly pairs: readonly UserProperty[];
  readonly fault?: string | undefined;
  readonly onChange: (pairs: UserProperty[]) => void;
}

export function Pairs({ pairs, fault, onChange }: PairsProps) {
  const replace = (index: number, pair: UserProperty) => onChange(pairs.map((other, at) => (at === index ? pair : other)));
  return (
    <fieldset class="pairs field-full">
      <legend class="field-label">{t('connect.userProperties')}</legend>
      {pairs.map(([name, value], index) => (
        <div class="pair" key={index}>
          <input
            type="text"
            aria-label={t('connect.property.name')}
            placeholder={t('connect.property.name')}
            autocomplete="off"
            value={name}
            onInput={(event) => replace(index, [event.currentTarget.value, value])}
          />
          <input
            type="text"
            aria-label={t('connect.property.value')}
            placeholder={t('connect.property.value')}
            autocomplete="off"
            value={value}
            onInput={(event) => replace(index, [name, event.currentTarget.value])}
          />
          <button
            type="button"
            class="icon-button"
            aria-label={t('connect.property.remove', { number: index + 1 })}
            onClick={() => onChange(pairs.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {fault !== undefined && <p class="field-fault">{fault}</p>}
      <button type="button" class="quiet" onClick={() => onChange([...pairs, ['', '']])}>
        <Icon name="add" />
        {t('connect.property.add')}
      </button>
    </fieldset>
  );
}
