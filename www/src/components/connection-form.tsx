import type { ClientModel } from '../state/client.js';
import { CheckField, Field, TextField } from './field.js';

/** Who connects and how; fixed while connected. */
export function ConnectionForm({ client }: { client: ClientModel }) {
  const { clientId, protocolVersion, cleanStart, keepAlive } = client.options;

  return (
    <fieldset class="fields" disabled={client.status.value !== 'disconnected'}>
      <legend class="visually-hidden">Connection</legend>
      <TextField label="Client identifier" value={clientId} width="full" />
      <Field label="Version">
        <select
          value={protocolVersion}
          onChange={(event) => (protocolVersion.value = event.currentTarget.value === '4' ? 4 : 5)}
        >
          <option value={5}>MQTT 5.0</option>
          <option value={4}>MQTT 3.1.1</option>
        </select>
      </Field>
      <Field label="Keep alive (seconds)">
        <input
          type="number"
          min={0}
          max={65_535}
          step={1}
          value={keepAlive}
          onInput={(event) => (keepAlive.value = event.currentTarget.valueAsNumber || 0)} // an empty field is NaN
        />
      </Field>
      <CheckField label="Clean start" value={cleanStart} />
    </fieldset>
  );
}
