// Publishes an Application Message: once, again and again, or as a question.

import type { ComponentType } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Disclosure } from '../../components/disclosure.tsx';
import { CheckField, ChoiceField, QosField, TextArea, TextField } from '../../components/field.tsx';
import { lazy } from '../../components/lazy.tsx';
import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';
import { INPUT_FORMATS, type InputFormat } from '../../model/payload-input.ts';
import { type DraftFaults, type PublicationDraft, saidPairs } from '../../model/publication-draft.ts';
import type { Store } from '../../model/store.ts';
import { connectionName } from '../shell/connection-name.ts';
import { draftFaultText } from './publish-faults.ts';
import { changeDraft, faultsOf, publicationOf, type PublishPart, type PublishState, publishState } from './publish-state.ts';
import { SnippetButton } from './snippet-button.tsx';

/** What each part of the form is given. */
export interface PublishPartProps {
  readonly connection: Connection;
  readonly state: PublishState;
  readonly faults: DraftFaults;
  readonly store: Store;
}

export function PublishForm({ connection, store }: { connection: Connection; store: Store }) {
  const form = useRef<HTMLFormElement>(null);
  const state = publishState(connection);
  const { topic, payload, format, qos, retain } = state.draft.value;
  const faults = faultsOf(connection, state);
  const isMqtt5 = connection.profile.protocolVersion === 5;
  const isConnected = connection.status.value === 'connected';
  const isRunning = state.repetition.state.value.status === 'running';
  const change = (part: Partial<PublicationDraft>) => changeDraft(state, part);
  const part = { connection, state, faults, store };

  useLayoutEffect(() => {
    if (state.isRefused.value) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [state.isRefused.value]);

  return (
    <div class="panel">
      <h2 class="panel-title">{t('publish.title')}</h2>
      <form
        ref={form}
        class="fields"
        aria-label={t('publish.as', { name: connectionName(connection) })}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const publication = publicationOf(connection, state, state.count.value);
          if (!publication) return;
          state.count.value += 1;
          void connection.publish(publication);
        }}
      >
        <TextField label={t('publish.topic')} width="full" fault={draftFaultText(faults.topic)} value={topic} onInput={(text) => change({ topic: text })} />
        <TextArea label={t('publish.payload')} width="full" rows={3} fault={draftFaultText(faults.payload)} value={payload} onInput={(text) => change({ payload: text })} />
        <ChoiceField<InputFormat>
          label={t('publish.format')}
          value={format}
          choices={INPUT_FORMATS.map((each) => [each, t(`payload.${each}`)])}
          onInput={(value) => change({ format: value })}
        />
        <QosField value={qos} onInput={(value) => change({ qos: value })} />
        <CheckField label={t('publish.retain')} value={retain} onInput={(value) => change({ retain: value })} />
        {isMqtt5 && <Part {...part} name="properties" note={propertiesNote(state.draft.value)} Content={Properties} />}
        <Part {...part} name="templates" Content={TemplatesPart} />
        <Part {...part} name="repeat" note={isRunning ? t('repeat.running') : undefined} Content={Repeat} />
        {isMqtt5 && <Part {...part} name="ask" Content={Ask} />}
        <div class="form-actions">
          <SnippetButton
            connection={connection}
            action={() => {
              const publication = publicationOf(connection, state, state.count.value);
              return publication && { kind: 'publish', publication };
            }}
          />
          <button type="submit" disabled={!isConnected}>
            {t('publish.publish')}
          </button>
        </div>
      </form>
    </div>
  );
}

interface PartProps extends PublishPartProps {
  readonly name: PublishPart;
  readonly note?: string | undefined;
  readonly Content: ComponentType<PublishPartProps>;
}

function Part({ name, note, Content, ...props }: PartProps) {
  return (
    <Disclosure title={t(`publish.part.${name}`)} note={note} isOpen={props.state.open[name]}>
      {() => <Content {...props} />}
    </Disclosure>
  );
}

/** How many are set, so that none is sent unseen. */
function propertiesNote(draft: PublicationDraft): string | undefined {
  const { contentType, messageExpiryInterval, payloadFormatIndicator, responseTopic, correlationData } = draft;
  const set = [contentType !== '', messageExpiryInterval !== null, payloadFormatIndicator, responseTopic !== '', correlationData !== ''];
  const count = set.filter(Boolean).length + saidPairs(draft).length;
  return count === 0 ? undefined : t('publish.properties.set', { count });
}

const Properties = lazy<PublishPartProps>(async () => (await import('./publish-properties.tsx')).PublishProperties);
const TemplatesPart = lazy<PublishPartProps>(async () => (await import('./publish-templates.tsx')).PublishTemplates);
const Repeat = lazy<PublishPartProps>(async () => (await import('./publish-repeat.tsx')).PublishRepeat);
const Ask = lazy<PublishPartProps>(async () => (await import('./publish-ask.tsx')).PublishAsk);
