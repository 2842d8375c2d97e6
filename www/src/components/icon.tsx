// The page's icons: strokes on a grid of 16, in the colour of the text about them.

const PATHS = {
  add: 'M8 3v10M3 8h10',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  bench: 'M2.5 11.5a5.5 5.5 0 1 1 11 0M8 11.5l3-4',
  broker: 'M3 3.5h10v4H3zM3 9.5h10v3.5H3zM5.5 5.5h.01M5.5 11.2h.01',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  code: 'M5.5 4L1.8 8l3.7 4M10.5 4l3.7 4-3.7 4',
  close: 'M4 4l8 8M12 4l-8 8',
  columns: 'M2.5 3.5h11v9h-11zM8 3.5v9',
  dark: 'M12.5 9.8A5.2 5.2 0 0 1 6.2 3.5a5 5 0 1 0 6.3 6.3z',
  export: 'M8 2.5v7M5 6.5l3 3 3-3M3 13h10',
  import: 'M8 9.5v-7M5 5.5l3-3 3 3M3 13h10',
  light: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  link: 'M6.8 9.2l2.4-2.4M7.3 4.6l1.2-1.2a2.9 2.9 0 0 1 4.1 4.1l-1.2 1.2M8.7 11.4l-1.2 1.2a2.9 2.9 0 0 1-4.1-4.1l1.2-1.2',
  messages: 'M2.5 3.5h11v7.5h-6l-3 2.5V11h-2zM5 6h6M5 8.5h4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6l7.5-4.8z',
  search: 'M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4zM10.2 10.2l3.3 3.3',
  settings: 'M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 3.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zM6 9.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z',
  received: 'M8 3v9.5M4 8.5l4 4 4-4',
  sent: 'M8 13V3.5M4 7.5l4-4 4 4',
  system: 'M2.5 3.5h11v7h-11zM6 13h4M8 10.5V13',
  topics: 'M3 3h4M5 3v9.5h2.5M5 7.8h2.5M9.5 7.8H13M9.5 12.5H13',
  tour: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM10.5 5.5L9 9l-3.5 1.5L7 7z',
  trash: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  wire: 'M1.5 8h2.5l1.5-4 2.5 8.5L10.5 6 12 8h2.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
