// The publications that this browser keeps: loaded, saved and removed by name.

import { useSignal } from '@preact/signals';
import { TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../i18n/index.ts';
import type { PublishPartProps } from './publish-form.tsx';
import { changeDraft, templatesIn } from './publish-state.ts';

export function PublishTemplates({ state, store }: PublishPartProps) {
  const templates = templatesIn(store);
  const name = useSignal('');
  const said = useSignal('');
  const all = templates.all.value;
  const wanted = name.value.trim();
  const isKnown = all.some((template) => template.name === wanted);
  return (
    <>
      {all.length === 0 ? (
        <p class="field-hint field-full">{t('templates.none')}</p>
      ) : (
        <ul class="templates" aria-label={t('publish.part.templates')}>
          {all.map((template) => (
            <li key={template.name} class="template">
              <button
                type="button"
                class="quiet template-name"
                title={template.draft.topic}
                onClick={() => {
                  changeDraft(state, template.draft);
                  name.value = template.name;
                  said.value = t('templates.loaded', { name: template.name });
                }}
              >
                <bdi>{template.name}</bdi>
              </button>
              <button
                type="button"
                class="icon-button"
                aria-label={t('templates.remove', { name: template.name })}
                title={t('templates.remove', { name: template.name })}
                onClick={() => {
                  templates.remove(template.name);
                  said.value = t('templates.removed', { name: template.name });
                }}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <TextField label={t('templates.name')} width="wide" value={name.value} onInput={(text) => (name.value = text)} />
      <button
        type="button"
        class="secondary"
        disabled={wanted === ''}
        onClick={() => {
          templates.save(wanted, state.draft.value);
          said.value = t(templates.isStored.value ? 'templates.saved' : 'templates.notStored', { name: wanted });
        }}
      >
        {t(isKnown ? 'templates.replace' : 'templates.save')}
      </button>
      <p class="field-hint field-full" role="status">
        {said.value}
      </p>
    </>
  );
}
