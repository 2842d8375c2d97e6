// The fields of a packet as a tree, moved through with the arrow keys. Knows nothing of bytes but where a field has them.

import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { t } from '../../i18n/index.ts';
import type { PacketField, PacketFields } from '../../model/packet-fields.ts';
import { ruleId } from '../../model/packet-rules.ts';
import { packetTexts } from './packet-texts.ts';

interface FieldTreeProps {
  readonly decoded: PacketFields;
  readonly lit: PacketField | null;
  readonly isRevealed: boolean;
  readonly onLit: (field: PacketField | null) => void;
}

export function FieldTree({ decoded, lit, isRevealed, onLit }: FieldTreeProps) {
  const tree = useRef<HTMLUListElement>(null);
  const rows = flatten(decoded.fields, 1);
  const current = useSignal(0);
  const litIndex = rows.findIndex(({ field }) => field === lit);
  useEffect(() => {
    const row = tree.current?.children[litIndex];
    if (row && !row.matches(':hover')) row.scrollIntoView({ block: 'nearest' });
  }, [litIndex]);

  const move = (to: number): void => {
    current.value = Math.max(0, Math.min(rows.length - 1, to));
    (tree.current?.children[current.value] as HTMLElement | undefined)?.focus();
  };
  return (
    <ul
      ref={tree}
      class="field-tree"
      role="tree"
      aria-label={t('wire.fields')}
      onMouseLeave={() => onLit(null)}
      onKeyDown={(event) => {
        const to = { ArrowDown: current.value + 1, ArrowUp: current.value - 1, Home: 0, End: rows.length - 1 }[event.key];
        if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        move(to);
      }}
    >
      {rows.map(({ field, depth }, index) => (
        <li
          key={index}
          role="treeitem"
          class={`field-row depth-${Math.min(depth, 5)} ${field === lit ? 'is-lit' : ''}`}
          aria-level={depth}
          aria-selected={field === lit}
          tabIndex={index === current.value ? 0 : -1}
          onMouseEnter={() => onLit(field)}
          onFocus={() => {
            current.value = index;
            onLit(field);
          }}
        >
          <Row field={field} decoded={decoded} isRevealed={isRevealed} />
        </li>
      ))}
    </ul>
  );
}

export function hasSecret(fields: readonly PacketField[]): boolean {
  return fields.some((field) => field.isSecret === true || hasSecret(field.fields ?? []));
}

function Row({ field, decoded, isRevealed }: { field: PacketField; decoded: PacketFields; isRevealed: boolean }) {
  const texts = packetTexts();
  const { name, value, mask, note, fault, rule, isSecret } = field;
  const isHidden = isSecret && !isRevealed;
  return (
    <>
      <span class="field-name">{name}</span>
      {mask !== undefined && <code class="field-bits">{bits(mask, decodeByte(field))}</code>}
      <code class="field-value">{isHidden ? '••••' : value}</code>
      {note && (note !== 'secret' || isHidden) && <span class="field-note">{texts.notes[note]}</span>}
      {fault && <span class="field-problem">{texts.faults[fault]}</span>}
      {rule && (
        <span class="field-rule">
          {ruleId(rule, decoded.version)}
          <span class="visually-hidden"> {texts.rules[rule]}</span>
        </span>
      )}
    </>
  );
}

/** The bits of a part of a byte in their places, as dots and digits. */
function bits(mask: number, value: string): string {
  let digits = '';
  for (let bit = 7; bit >= 0; bit -= 1) digits += mask & (1 << bit) ? (value.padStart(8, '0')[7 - bit] ?? '0') : '·';
  return `${digits.slice(0, 4)} ${digits.slice(4)}`;
}

/** Its value at its place in the byte, as eight binary digits. */
function decodeByte({ mask = 0, value }: PacketField): string {
  const number = /^[01]{4}$/.test(value) && mask === 0x0f ? Number.parseInt(value, 2) : Number.parseInt(value, 10);
  return (number * (mask & -mask)).toString(2).padStart(8, '0');
}

function flatten(fields: readonly PacketField[], depth: number): { field: PacketField; depth: number }[] {
  return fields.flatMap((field) => [{ field, depth }, ...flatten(field.fields ?? [], depth + 1)]);
}
