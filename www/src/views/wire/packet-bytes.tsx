// The bytes of a packet in hexadecimal digits and as characters, those of one field lit. Knows fields by where they are.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { fieldAt, type PacketField } from '../../model/packet-fields.ts';
import type { WirePacket } from '../../model/wire-log.ts';

interface PacketBytesProps {
  readonly packet: WirePacket;
  readonly fields: readonly PacketField[];
  readonly lit: PacketField | null;
  readonly isRevealed: boolean;
  /** The reader points at this byte, or at none. */
  readonly onLit: (at: number | null) => void;
}

export function PacketBytes({ packet: { bytes }, fields, lit, isRevealed, onLit }: PacketBytesProps) {
  const shown = useSignal(FIRST_SHOWN);
  const cursor = useSignal(0);
  const grid = useRef<HTMLDivElement>(null);
  const count = Math.min(bytes.length, shown.value);
  const hidden = isRevealed ? [] : secrets(fields);
  const start = lit?.start ?? -1;
  useEffect(() => {
    const cell = grid.current?.querySelector(`[data-at="${start}"]`);
    if (cell && !grid.current!.matches(':hover')) cell.scrollIntoView({ block: 'nearest' });
  }, [start]);

  const point = (event: MouseEvent): void => {
    const at = (event.target as Element).closest('[data-at]')?.getAttribute('data-at');
    if (at != null) onLit(Number(at));
  };
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: WIDTH, ArrowUp: -WIDTH }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    cursor.value = Math.max(0, Math.min(count - 1, cursor.value + step));
    onLit(cursor.value);
  };
  return (
    <div class="bytes">
      <div
        ref={grid}
        class="bytes-grid"
        role="group"
        aria-label={t('wire.bytesOf', { field: lit?.name ?? '' })}
        tabIndex={0}
        onMouseOver={point}
        onMouseLeave={() => onLit(null)}
        onFocus={() => grid.current?.matches(':focus-visible') && onLit(cursor.value)}
        onKeyDown={move}
      >
        {Array.from({ length: Math.ceil(count / WIDTH) }, (_, row) => (
          <Line key={row} bytes={bytes.subarray(row * WIDTH, Math.min(count, (row + 1) * WIDTH))} offset={row * WIDTH} lit={lit} hidden={hidden} />
        ))}
      </div>
      {count < bytes.length && (
        <p class="bytes-more">
          {t('wire.bytesShown', { shown: count, count: bytes.length })}{' '}
          <button type="button" class="quiet" onClick={() => (shown.value += MORE_SHOWN)}>
            {t('wire.bytesMore')}
          </button>
        </p>
      )}
      <span class="visually-hidden" role="status">
        {lit && fieldAt(fields, lit.start)?.name}
      </span>
    </div>
  );
}

interface LineProps {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly lit: PacketField | null;
  readonly hidden: readonly PacketField[];
}

function Line({ bytes, offset, lit, hidden }: LineProps) {
  const cells = [...bytes].map((byte, index) => {
    const at = offset + index;
    const isLit = lit !== null && at >= lit.start && at < lit.end;
    const isHidden = hidden.some(({ start, end }) => at >= start && at < end);
    return { at, byte, isHidden, className: isLit ? 'byte is-lit' : 'byte' };
  });
  return (
    <div class="bytes-line">
      <span class="bytes-offset">{offset.toString(16).padStart(4, '0')}</span>
      <span class="bytes-digits">
        {cells.map(({ at, byte, isHidden, className }) => (
          <span key={at} class={className} data-at={at}>
            {isHidden ? '··' : byte.toString(16).padStart(2, '0')}
          </span>
        ))}
      </span>
      <span class="bytes-text" aria-hidden="true">
        {cells.map(({ at, byte, isHidden, className }) => (
          <span key={at} class={className} data-at={at}>
            {isHidden ? '·' : byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'}
          </span>
        ))}
      </span>
    </div>
  );
}

function secrets(fields: readonly PacketField[]): PacketField[] {
  return fields.flatMap((field) => (field.isSecret ? [field] : secrets(field.fields ?? [])));
}

/** Bytes in a line. */
const WIDTH = 16;

const FIRST_SHOWN = 1_024;
const MORE_SHOWN = 4_096;
