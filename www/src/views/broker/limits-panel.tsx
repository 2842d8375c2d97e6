// How far the broker goes, in words.

import { Fragment } from 'preact';
import { duration } from '../../components/duration.ts';
import { size } from '../../components/size.ts';
import { number, t } from '../../i18n/index.ts';
import { LIMIT_GROUPS, type LimitGroup, type LimitName, LIMITS, limitUnit } from '../../model/broker-limits.ts';

export function LimitsPanel() {
  const groups = Object.entries(LIMIT_GROUPS) as [LimitGroup, readonly LimitName[]][];
  return (
    <section class="panel limits" aria-label={t('broker.limits')}>
      <h3 class="panel-title">{t('broker.limits')}</h3>
      <p class="muted">{t('broker.limits.text')}</p>
      <div class="limit-groups">
        {groups.map(([group, names]) => (
          <div key={group}>
            <h4>{t(`broker.limits.${group}`)}</h4>
            <ul>
              {names.map((name) => (
                <li key={name}>
                  <Limit name={name} />
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}

/** The sentence of a limit, its value set apart. */
function Limit({ name }: { name: LimitName }) {
  const parts = t(`broker.limit.${name}`, { value: MARK }).split(MARK);
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {index > 0 && <strong>{valueOf(name)}</strong>}
          {part}
        </Fragment>
      ))}
    </>
  );
}

function valueOf(name: LimitName): string {
  const value = LIMITS[name];
  switch (limitUnit(name)) {
    case 'bytes':
      return size(value);
    case 'milliseconds':
      return duration(value / 1_000);
    case 'seconds':
      return duration(value);
    case 'count':
      return number(value);
  }
}

/** In no text. */
const MARK = '\u0000';
