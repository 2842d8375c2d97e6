// A list or a tree of any length, of which only the rows in sight are drawn. Knows nothing of what a row shows.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import '../style/virtual-list.css';

/** What says of a row what it is. */
export interface RowAttributes {
  readonly class?: string;
  readonly 'aria-level'?: number;
  readonly 'aria-expanded'?: boolean | undefined;
  readonly 'aria-setsize'?: number;
  readonly 'aria-posinset'?: number;
}

interface VirtualListProps {
  readonly role: 'listbox' | 'tree';
  readonly label: string;
  readonly class?: string;
  /** Rows in all. */
  readonly count: number;
  /** The number of the first row: it grows as rows at the top go, and what is in sight stays where it is. Default 0. */
  readonly first?: number;
  /** Pixels, the same for each. */
  readonly rowHeight: number;
  /** The place of the row that the keyboard is at, or -1. */
  readonly active: number;
  /** The reader chose the row at this place. */
  readonly onActive: (index: number) => void;
  /** A key that does not move. Whether it meant something. */
  readonly onKey?: (event: KeyboardEvent) => boolean;
  /** A row was pressed; `true` keeps it from being chosen. */
  readonly onPress?: (index: number, target: Element) => boolean;
  readonly rowKey: (index: number) => string | number;
  /** Whether an element shows one row after the other: that is faster where all rows change at once, but loses what moves in them. */
  readonly isRecycling?: boolean;
  readonly attributes?: (index: number) => RowAttributes;
  readonly row: (index: number) => ComponentChildren;
  /** Whether the end stays in sight as rows come. */
  readonly isFollowing?: boolean;
  /** The reader scrolled to the end, or away from it. */
  readonly onFollowing?: (isFollowing: boolean) => void;
}

export function VirtualList(props: VirtualListProps) {
  const { role, label, count, first = 0, rowHeight, active, isFollowing = false, isRecycling = false } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  /** Where it is scrolled to: what is drawn follows it by itself at the end, elsewhere when it is told. */
  const top = useRef(0);
  /** Where the program has scrolled it to, until the reader scrolls. */
  const ours = useRef<number | null>(null);
  const [, setDrawn] = useState(0);
  const height = useHeight(scroller);
  const end = Math.max(0, count * rowHeight - height);
  const at = isFollowing ? end : Math.min(top.current, end);
  const from = Math.max(0, Math.floor(at / rowHeight) - OVERSCAN);
  const to = Math.min(count, Math.ceil((at + height) / rowHeight) + OVERSCAN);
  const activeKey = active >= 0 && active < count ? props.rowKey(active) : undefined;
  const lastFirst = useRef(first);

  useLayoutEffect(() => {
    const { current: element } = scroller;
    if (!element) return;
    const gone = first - lastFirst.current;
    lastFirst.current = first;
    if (isFollowing) element.scrollTop = top.current = ours.current = end;
    else if (gone > 0) {
      element.scrollTop = top.current = ours.current = Math.max(0, top.current - gone * rowHeight);
      setDrawn(top.current);
    }
  }, [first, isFollowing, isFollowing ? end : 0]);

  useEffect(() => {
    const { current: element } = scroller;
    if (!element || activeKey === undefined) return;
    const place = active * rowHeight;
    if (place < element.scrollTop) element.scrollTop = place;
    else if (place + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = place + rowHeight - element.clientHeight;
  }, [activeKey]);

  return (
    <div
      ref={scroller}
      class={`virtual ${props.class ?? ''}`}
      role={role}
      aria-label={label}
      aria-activedescendant={active >= from && active < to ? `${id}-${props.rowKey(active)}` : undefined}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        const isAtEnd = scrollHeight - scrollTop - clientHeight < rowHeight / 2;
        // However slowly: what counts is how far it is from there, not how far it came since the last event.
        const isByReader = ours.current === null || Math.abs(scrollTop - ours.current) >= 1;
        top.current = scrollTop;
        if (!isFollowing || !isAtEnd) setDrawn(scrollTop);
        if (!isByReader) return;
        ours.current = null;
        props.onFollowing?.(isAtEnd);
      }}
      onKeyDown={(event) => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const next = moved(event.key, active, count, Math.max(1, Math.floor(height / rowHeight) - 1));
        if (next === undefined ? !props.onKey?.(event) : count === 0) return;
        event.preventDefault();
        if (next !== undefined) props.onActive(next);
      }}
      onClick={({ target }) => {
        const element = (target as Element).closest('[data-row]');
        if (!element) return;
        const index = from + Array.prototype.indexOf.call(element.parentElement!.children, element);
        if (!props.onPress?.(index, target as Element)) props.onActive(index);
      }}
    >
      <div class="virtual-all" role="none" style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-rows" role="none" style={{ transform: `translateY(${from * rowHeight}px)` }}>
          {Array.from({ length: Math.max(0, to - from) }, (_, offset) => {
            const index = from + offset;
            const key = props.rowKey(index);
            const attributes = props.attributes?.(index);
            return (
              <div
                key={isRecycling ? offset : key}
                id={`${id}-${key}`}
                data-row=""
                role={role === 'tree' ? 'treeitem' : 'option'}
                aria-selected={index === active}
                aria-setsize={count}
                aria-posinset={index + 1}
                {...attributes}
                class={`virtual-row ${attributes?.class ?? ''}`}
                style={{ height: `${rowHeight}px` }}
              >
                {props.row(index)}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The height of an element in pixels, as it changes. */
function useHeight(element: { readonly current: Element | null }): number {
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    if (!element.current) return;
    setHeight(element.current.clientHeight);
    const observer = new ResizeObserver(([entry]) => setHeight(entry!.contentRect.height));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return height;
}

/** Where a key leads; `undefined` for one that leads nowhere. */
function moved(key: string, active: number, count: number, page: number): number | undefined {
  const bounded = (index: number): number => Math.max(0, Math.min(count - 1, index));
  switch (key) {
    case 'ArrowDown':
      return bounded(active + 1);
    case 'ArrowUp':
      return bounded(active < 0 ? count - 1 : active - 1);
    case 'PageDown':
      return bounded(active + page);
    case 'PageUp':
      return bounded(active - page);
    case 'Home':
      return 0;
    case 'End':
      return bounded(count - 1);
    default:
      return undefined;
  }
}

/** Rows that are drawn above and below what is in sight. */
const OVERSCAN = 4;
