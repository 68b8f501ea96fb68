/**
 * The few pictograms of the app: 20 units wide, drawn with the colour of the text around them.
 */
const PATHS = {
  plus: 'M10 4v12M4 10h12',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
  up: 'M5 12l5-5 5 5',
  down: 'M5 8l5 5 5-5',
  close: 'M5 5l10 10M15 5L5 15',
  menu: 'M3 6h14M3 10h14M3 14h14',
  bell: 'M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5-1.5 6h12c0-1-1.5-2-1.5-6A4.5 4.5 0 0 0 10 3M8.5 16.5a1.6 1.6 0 0 0 3 0',
  cloud: 'M6 15.5a3.5 3.5 0 0 1-.3-7 4.5 4.5 0 0 1 8.7.6 3.2 3.2 0 0 1-.4 6.4z',
  offline:
    'M6 15.5a3.5 3.5 0 0 1-.3-7c.3-1 1-2 2-2.6M9.500 5a4.500 4.500 0 0 1 4.900 4.100 3.200 3.200 0 0 1 1.800 5M3.500 3.500l13 13',
  upload: 'M10 13V4M6 8l4-4 4 4M4 16h12',
  download: 'M10 4v9M6 9l4 4 4-4M4 16h12',
  moved: 'M4 7h9M10 3.500L13.500 7 10 10.500M16 13H7M10 9.500',
  refused: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M5.500 5.500l9 9',
  check: 'M4.500 10.500l3.500 3.500 7.500-8',
  search: 'M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11M13 13l4 4',
  keyboard: 'M2.500 5.500h15v9h-15zM5.500 8.500h.01M8.500 8.500h.01M11.500 8.500h.01M14.500 8.500h.01M6.500 11.500h7',
  clock: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 6v4.200l2.800 1.800',
} as const;

export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
