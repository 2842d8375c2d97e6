// All that can be said about a connection before it is made, in sections.

import { type Signal, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { copy } from '../../components/save.ts';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import { checkProfile, type Faults, type Profile } from '../../model/profile.ts';
import type { Profiles } from '../../model/profiles.ts';
import { toLink } from '../../model/share.ts';
import { ClientSection, CredentialsSection, ServerSection, SessionSection } from './sections.tsx';
import { SubscriptionsSection } from './subscriptions-section.tsx';
import { WillSection } from './will-section.tsx';

interface ConnectFormProps {
  readonly profile: Signal<Profile>;
  readonly profiles: Profiles;
  /** Whether it came with a link. */
  readonly isForeign: boolean;
  readonly onConnect: (profile: Profile) => void;
}

/** What each section is given. */
export interface SectionProps {
  readonly profile: Profile;
  readonly faults: Faults;
  readonly change: (part: Partial<Profile>) => void;
}

export function ConnectForm({ profile, profiles, isForeign, onConnect }: ConnectFormProps) {
  const form = useRef<HTMLFormElement>(null);
  /** How often it was tried to use what is wrong: faults are shown from then on. */
  const refusals = useSignal(0);
  const said = useSignal('');
  const faults = checkProfile(profile.value);
  const shown = refusals.value > 0 ? faults : {};
  const count = Object.keys(shown).length;

  useLayoutEffect(() => {
    if (refusals.value === 0) return;
    for (const folded of form.current?.querySelectorAll<HTMLDetailsElement>('details:has(.field-fault)') ?? []) folded.open = true;
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [refusals.value]);

  const section: SectionProps = {
    profile: profile.value,
    faults: shown,
    change: (part) => {
      profile.value = { ...profile.value, ...part };
      said.value = '';
    },
  };
  const whenGood = (use: () => void) => {
    if (Object.keys(faults).length === 0) use();
    else refusals.value += 1;
  };

  return (
    <form
      ref={form}
      class="connect-form"
      aria-label={t('connections.connect')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        whenGood(() => onConnect(profile.value));
      }}
    >
      <div class="connect-sections" key={profile.value.id}>
        {isForeign && <p class="caution">{t('connect.foreign')}</p>}
        <ServerSection {...section} />
        <ClientSection {...section} />
        <CredentialsSection {...section} />
        <SessionSection {...section} />
        <WillSection {...section} />
        <SubscriptionsSection {...section} />
      </div>
      <footer class="connect-foot">
        <button
          type="button"
          class="secondary"
          onClick={() =>
            whenGood(() => {
              profiles.save(profile.value);
              said.value = t('connect.saved');
            })
          }
        >
          {t('connect.save')}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={async () => {
            const isCopied = await copy(toLink(profile.value, location.href));
            said.value = t(isCopied ? 'connect.copied' : 'connect.copyFailed');
          }}
        >
          <Icon name="link" />
          {t('connect.copyLink')}
        </button>
        <p class={count > 0 ? 'field-fault' : 'field-hint'} role="status">
          {count > 0 ? t('connect.faults', { count }) : said.value}
        </p>
        <button type="submit">{t('connect.connect')}</button>
      </footer>
    </form>
  );
}
