// Fields: a label, a control, and what is wrong with it.

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { QoS } from 'mqlite/broker';
import { t } from '../i18n/index.ts';

interface FieldProps {
  readonly label: string;
  /** How much of its line it takes. */
  readonly width?: 'narrow' | 'wide' | 'full';
  readonly hint?: string | undefined;
  /** What is wrong with it, as a sentence. */
  readonly fault?: string | undefined;
}

interface ControlProps {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

/** A control under its label. */
export function Field({ label, width = 'narrow', hint, fault, children }: FieldProps & { children: (control: ControlProps) => ComponentChildren }) {
  const id = useId();
  const note = fault ?? hint;
  return (
    <div class={`field field-${width}`}>
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': note === undefined ? undefined : `${id}-note`, 'aria-invalid': fault === undefined ? undefined : true })}
      {note !== undefined && (
        <p id={`${id}-note`} class={fault === undefined ? 'field-hint' : 'field-fault'}>
          {note}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly placeholder?: string;
  readonly type?: 'text' | 'search' | 'url' | 'password';
  readonly isDisabled?: boolean;
}

/** One line of text that is read as it is typed: no capitals, corrections or suggestions. */
export function TextField({ value, onInput, placeholder, type = 'text', isDisabled = false, ...field }: TextFieldProps) {
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          type={type as 'text'} // the types of the attributes know each type by itself alone
          value={value}
          placeholder={placeholder}
          disabled={isDisabled}
          autocapitalize="off"
          autocomplete={type === 'password' ? 'new-password' : 'off'}
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface NumberFieldProps extends FieldProps {
  /** `null` where the field is empty. */
  readonly value: number | null;
  readonly onInput: (value: number | null) => void;
  readonly placeholder?: string;
}

/** A whole number. What is no number at all is `NaN`, for a check to find. */
export function NumberField({ value, onInput, placeholder, ...field }: NumberFieldProps) {
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          type="text"
          inputMode="numeric"
          autocomplete="off"
          placeholder={placeholder}
          value={value === null ? '' : Number.isNaN(value) ? undefined : String(value)} // what is no number stays as it was typed
          onInput={({ currentTarget: { value: text } }) => onInput(text.trim() === '' ? null : /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN)}
        />
      )}
    </Field>
  );
}

interface TextAreaProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly rows?: number;
}

/** Several lines of text. */
export function TextArea({ value, onInput, rows = 2, ...field }: TextAreaProps) {
  return (
    <Field {...field}>
      {(control) => (
        <textarea {...control} rows={rows} spellcheck={false} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
      )}
    </Field>
  );
}

interface ChoiceFieldProps<T extends string | number> extends FieldProps {
  readonly value: T;
  readonly choices: readonly (readonly [value: T, label: string])[];
  readonly onInput: (value: T) => void;
}

/** One of a few. */
export function ChoiceField<T extends string | number>({ value, choices, onInput, ...field }: ChoiceFieldProps<T>) {
  return (
    <Field {...field}>
      {(control) => (
        <select
          {...control}
          value={String(value)}
          onChange={({ currentTarget: { selectedIndex } }) => {
            const choice = choices[selectedIndex];
            if (choice) onInput(choice[0]);
          }}
        >
          {choices.map(([choice, text]) => (
            <option key={choice} value={String(choice)}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A choice of QoS 0, 1 and 2. */
export function QosField({ value, onInput }: { value: QoS; onInput: (value: QoS) => void }) {
  return (
    <ChoiceField<QoS>
      label={t('qos.label')}
      value={value}
      onInput={onInput}
      choices={[
        [0, t('qos.0')],
        [1, t('qos.1')],
        [2, t('qos.2')],
      ]}
    />
  );
}

interface CheckFieldProps {
  readonly label: string;
  readonly value: boolean;
  readonly onInput: (value: boolean) => void;
  readonly isDisabled?: boolean;
}

/** A box to tick. */
export function CheckField({ label, value, onInput, isDisabled = false }: CheckFieldProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} disabled={isDisabled} onChange={(event) => onInput(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
