/**
 * The document of the client benchmarks: a calendar event of 325 bytes as JSON, fifty of them a
 * day, with ids that scatter as random ones do. The same number gives the same document in every
 * browser and run, so that peers write the very same bytes.
 */

export interface Event {
  readonly id: string;
  readonly title: string;
  readonly start: string;
  readonly end: string;
  readonly room: string;
  readonly attendees: readonly string[];
  readonly notes: string;
}

/** From inclusive, to exclusive: over `start`. */
export type Day = readonly [from: string, to: string];

export const EVENTS_PER_DAY = 50;

const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const PEOPLE = 5_000;
const ROOMS = ['Ada', 'Babbage', 'Curie', 'Dijkstra', 'Euler', 'Fermat', 'Gauss', 'Hopper'];
const NOTES =
  'Bring the printed agenda and last week\'s figures; dial-in is open ten minutes before the start. ';
const WORDS = (
  'agenda budget chart draft estimate figures goals hiring invoice journey kitchen ledger margin ' +
  'notes order plan quarter review sketch travel update venue window year zone answer bridge copy'
).split(' ');

export function eventOf(i: number): Event {
  const date = dateOf(Math.floor(i / EVENTS_PER_DAY));
  const hour = 8 + (i % 9);
  const minute = twoDigits((i % 4) * 15);
  return {
    id: idOf(i),
    title: `Meeting ${i} with the planning group`,
    start: `${date}T${twoDigits(hour)}:${minute}:00Z`,
    end: `${date}T${twoDigits(hour + 1)}:${minute}:00Z`,
    room: ROOMS[scattered(i) % ROOMS.length] ?? '',
    attendees: [1, 2, 3].map((nth) => `u${scattered(i + nth) % PEOPLE}@example.org`),
    notes: NOTES,
  };
}

export const eventsOf = (count: number, first = 0): Event[] =>
  Array.from({ length: count }, (_, i) => eventOf(first + i));

/**
 * As `eventOf`, with notes of the same length that differ from event to event: what the disk takes
 * for the same notes ten thousand times over says nothing about real data.
 */
export function variedEventOf(i: number): Event {
  let notes = '';
  for (let word = 0; notes.length < NOTES.length; word++) {
    notes += `${WORDS[scattered(i * 31 + word) % WORDS.length] ?? ''} `;
    if (word % 5 === 4) notes += `${scattered(i * 17 + word) % 100_000} `;
  }
  return { ...eventOf(i), notes: notes.slice(0, NOTES.length) };
}

export const dayOf = (nth: number): Day => [`${dateOf(nth)}T`, `${dateOf(nth)}U`];

export const isWithin = (event: Pick<Event, 'start'>, [from, to]: Day): boolean =>
  event.start >= from && event.start < to;

const idOf = (i: number): string => hex(scattered(i)) + hex(scattered(i + 7_777_777));

const dateOf = (nth: number): string =>
  new Date(FIRST_DAY + nth * DAY_MS).toISOString().slice(0, 10);

/** The finisher of splitmix32: neighbours end up far apart. */
function scattered(i: number): number {
  let bits = (i + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
const twoDigits = (n: number): string => String(n).padStart(2, '0');
