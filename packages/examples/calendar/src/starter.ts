/**
 * What a new calendar starts with. The ids are fixed: two people who both add these rooms, each
 * offline, end up with one set of them.
 */
import type { Person, Room } from './shapes.js';

export const COLOURS = [
  '#2f74b5',
  '#3f8f6b',
  '#b5643c',
  '#8a5fae',
  '#b08a1e',
  '#4c7f8f',
  '#b24d6f',
  '#6b7686',
] as const;

export const STARTER_ROOMS: readonly Room[] = [
  { id: 'room-harbour', name: 'Harbour', colour: COLOURS[0], capacity: 6 },
  { id: 'room-orchard', name: 'Orchard', colour: COLOURS[1], capacity: 8 },
  { id: 'room-kiln', name: 'Kiln', colour: COLOURS[2], capacity: 4 },
  { id: 'room-assembly', name: 'Assembly', colour: COLOURS[3], capacity: 24 },
];

/** A person always has the same colour, on every device. */
export function personOf(name: string): Person {
  let sum = 0;
  for (const sign of name) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 9973;
  return { id: name, name, colour: COLOURS[sum % COLOURS.length] ?? COLOURS[0] };
}

/** What may stand in a development token as a name. */
export const NAME_PATTERN = /^[\p{L}\p{N}][\p{L}\p{N} .'’_-]{0,39}$/u;
