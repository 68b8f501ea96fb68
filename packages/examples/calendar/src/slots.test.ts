import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Booking, Room } from './shapes.js';
import {
  elsewhere,
  inTheWay,
  laterSlots,
  otherRooms,
  suggestions,
  type SearchOptions,
} from './slots.js';

const HOUR = 3_600_000;
const day = Date.UTC(2026, 5, 1);
const room = (id: string, capacity: number): Room => ({
  id,
  name: id,
  colour: '#123456',
  capacity,
});
const booking = (id: string, where: string, fromHour: number, toHour: number): Booking => ({
  id,
  room: where,
  start: day + fromHour * HOUR,
  end: day + toHour * HOUR,
  title: id,
  by: 'ada',
  notes: '',
  createdAt: 0,
});
const rooms = [room('blue', 6), room('green', 12), room('hall', 60), room('nook', 2)];
const nineToFive = ({ start, end }: { start: number; end: number }): boolean =>
  start % (24 * HOUR) >= 9 * HOUR && (start % (24 * HOUR)) + end - start <= 17 * HOUR;
const options = (bookings: Booking[], more: Partial<SearchOptions> = {}): SearchOptions => ({
  bookings,
  rooms,
  notBefore: day,
  isWorkingTime: nineToFive,
  count: 3,
  ...more,
});
const wanted = { room: 'blue', start: day + 10 * HOUR, end: day + 11 * HOUR };

describe('free slots', () => {
  it('bookings that only touch do not stand in the way, and neither does the booking itself', () => {
    const around = [
      booking('a', 'blue', 9, 10),
      booking('b', 'blue', 11, 12),
      booking('c', 'green', 10, 11),
    ];
    expect(inTheWay(around, wanted)).toBeUndefined();
    expect(inTheWay([booking('me', 'blue', 10, 11)], { ...wanted, self: 'me' })).toBeUndefined();
    expect(inTheWay([booking('long', 'blue', 3, 23)], wanted)?.id).toBe('long');
  });

  it('later slots skip what is taken and the hours when nobody meets', () => {
    const taken = [booking('a', 'blue', 10, 12), booking('b', 'blue', 13, 16)];
    expect(laterSlots(wanted, options(taken)).map((s) => (s.start - day) / HOUR)).toEqual([
      12, 16, 33,
    ]);
  });

  it('what may still be free is not overlapped: who gets it would take the alternative, too', () => {
    expect(laterSlots(wanted, options([])).map((s) => (s.start - day) / HOUR)).toEqual([
      11, 12, 13,
    ]);
    const late = booking('late', 'blue', 10.5, 11);
    expect(laterSlots(wanted, options([late]))[0]?.start).toBe(day + 11 * HOUR);
  });

  it('nothing is offered in the past', () => {
    const late = laterSlots(wanted, options([], { notBefore: day + 14.1 * HOUR }));
    expect((late[0]?.start ?? 0) - day).toBe(14.25 * HOUR);
    expect(
      suggestions(wanted, options([], { notBefore: day + 14 * HOUR })).every(
        (s) => s.room === 'blue',
      ),
    ).toBe(true);
  });

  it('the smallest room that holds as many comes first, too small ones last', () => {
    expect(otherRooms(wanted, options([])).map((s) => s.room)).toEqual(['green', 'hall', 'nook']);
    expect(otherRooms(wanted, options([booking('x', 'green', 8, 18)])).map((s) => s.room)).toEqual([
      'hall',
      'nook',
    ]);
  });

  it('when every room is taken, elsewhere means the first that gets free', () => {
    const full = rooms.map((r, i) => booking(r.id, r.id, 10, 11 + i));
    const found = elsewhere(wanted, options(full, { count: 2 }));
    expect(found.map((s) => [s.room, (s.start - day) / HOUR])).toEqual([
      ['green', 12],
      ['green', 13],
    ]);
    expect(elsewhere(wanted, options([], { count: 2 })).map((s) => s.room)).toEqual([
      'green',
      'hall',
    ]);
  });

  it('whatever is booked, every suggestion is free and differs from what was wanted', () => {
    const any = fc.record({
      room: fc.constantFrom('blue', 'green', 'hall', 'nook'),
      from: fc.integer({ min: 0, max: 100 }),
      quarters: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (list) => {
        const bookings = list.map((b, i) =>
          booking(String(i), b.room, b.from / 4, (b.from + b.quarters) / 4),
        );
        for (const slot of suggestions(wanted, options(bookings, { count: 6 }))) {
          expect(inTheWay(bookings, slot)).toBeUndefined();
          expect(slot.room === wanted.room && slot.start === wanted.start).toBe(false);
        }
      }),
    );
  });
});
