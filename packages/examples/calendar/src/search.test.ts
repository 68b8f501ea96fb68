import { describe, expect, it } from 'vitest';
import { searchBookings, type SearchIn } from './search.js';
import type { Booking } from './shapes.js';

const HOUR = 3_600_000;
const now = Date.UTC(2026, 5, 1, 12);
const booking = (id: string, title: string, hours: number, more: Partial<Booking> = {}): Booking => ({
  id, title, room: 'blue', start: now + hours * HOUR, end: now + (hours + 1) * HOUR, by: 'ada', notes: '', createdAt: 0, ...more,
});
const where: SearchIn = {
  now,
  max: 10,
  rooms: [{ id: 'blue', name: 'Blaue Ecke', colour: '#123456', capacity: 4 }, { id: 'hall', name: 'Hall', colour: '#123456', capacity: 40 }],
  people: [{ id: 'ada', name: 'Ada', colour: '#123456' }, { id: 'zoe', name: 'Zoë', colour: '#123456' }],
  bookings: [
    booking('past', 'Review', -48),
    booking('longAgo', 'Review', -96),
    booking('later', 'Review of plans', 72, { room: 'hall', by: 'zoe', notes: 'Bring the café menu' }),
    booking('soon', 'Planning', 2),
    booking('running', 'Design review', -0.5),
  ],
};
const ids = (query: string, more: Partial<SearchIn> = {}): string[] =>
  searchBookings(query, { ...where, ...more }).found.map((found) => found.booking.id);

describe('search', () => {
  it('shows what is to come first, soonest first, then what has been, latest first', () => {
    expect(ids('review')).toEqual(['running', 'later', 'past', 'longAgo']);
  });

  it('finds by title, room, person and notes, all words in any order, accents or not', () => {
    expect(ids('plan')).toEqual(['soon', 'later']);
    expect(ids('hall')).toEqual(['later']);
    expect(ids('zoe')).toEqual(['later']);
    expect(ids('ZOË cafe rev')).toEqual(['later']);
    expect(ids('zoe blaue')).toEqual([]);
  });

  it('finds nothing for nothing, and says how many more there are', () => {
    expect(searchBookings('  ', where)).toEqual({ found: [], more: 0 });
    expect(searchBookings('review', { ...where, max: 3 })).toMatchObject({ more: 1 });
  });
});
