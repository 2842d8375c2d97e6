// The colour of a subscription: the next one, or one of a few.

import { useId } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { COLOURS } from '../../model/profile.ts';

interface ColourFieldProps {
  /** `null`: the next one. */
  readonly value: number | null;
  readonly onInput: (value: number | null) => void;
}

export function ColourField({ value, onInput }: ColourFieldProps) {
  const name = useId();
  return (
    <fieldset class="field field-full">
      <legend class="field-label">{t('subscriptions.colour')}</legend>
      <div class="swatches">
        {CHOICES.map((colour) => {
          const label = colour === null ? t('subscriptions.colour.next') : t(`subscriptions.colour.${colour}`);
          return (
            <label key={colour} class={colour === null ? 'swatch swatch-next' : `swatch hue-${colour}`} title={label}>
              <input type="radio" name={name} aria-label={label} checked={value === colour} onChange={() => onInput(colour)} />
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

const CHOICES = [null, ...Array.from({ length: COLOURS }, (_, colour) => colour as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7)];
