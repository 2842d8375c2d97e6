import type { Signal } from '@preact/signals';
import type { QoS } from 'mqlite/broker';
import type { ComponentChildren } from 'preact';

/** A control under its label. */
export function Field({ label, width = 'narrow', children }: FieldProps & { children: ComponentChildren }) {
  return (
    <label class={`field field-${width}`}>
      <span class="field-label">{label}</span>
      {children}
    </label>
  );
}

/** One line of text that is read as it is typed: no capitals, corrections or suggestions. */
export function TextField({ value, ...field }: FieldProps & { value: Signal<string> }) {
  return (
    <Field {...field}>
      <input
        type="text"
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => (value.value = event.currentTarget.value)}
      />
    </Field>
  );
}

/** A choice of QoS 0, 1 and 2. */
export function QoSField({ value }: { value: Signal<QoS> }) {
  return (
    <Field label="QoS">
      <select value={value} onChange={(event) => (value.value = Number(event.currentTarget.value) as QoS)}>
        <option value={0}>0 - at most once</option>
        <option value={1}>1 - at least once</option>
        <option value={2}>2 - exactly once</option>
      </select>
    </Field>
  );
}

/** A box to tick. */
export function CheckField({ label, value }: { label: string; value: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value}
        onChange={(event) => (value.value = event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

interface FieldProps {
  label: string;
  /** How much of its line the field takes: little, what is left, or all. */
  width?: 'narrow' | 'wide' | 'full';
}
