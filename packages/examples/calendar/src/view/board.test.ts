import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redrawing, type BoardBooking, type BookingStage } from './board.js';

const shownBooking = (id: string, stage: BookingStage = 'committed'): BoardBooking => ({
  booking: { id, room: 'blue', start: 0, end: 1, title: id, by: 'ada', notes: '', createdAt: 0 },
  room: { id: 'blue', name: 'Blue', colour: '#123456', capacity: 4 },
  byName: 'Ada',
  mine: false,
  stage,
  wish: undefined,
});
const board = (bookings: readonly BoardBooking[]): Map<string, BoardBooking> =>
  new Map(bookings.map((b) => [b.booking.id, b]));

it('what is drawn alike is left alone, though it is another object', () => {
  const { removed, changed, added } = redrawing(board([shownBooking('a')]), [shownBooking('a')]);
  expect([removed, changed, added]).toEqual([[], [], []]);
});

it('a booking that becomes final, another’s colour and another’s name are drawn anew', () => {
  const was = shownBooking('a', 'tentative');
  const others: BoardBooking[] = [
    shownBooking('a'),
    { ...was, room: { ...was.room, colour: '#654321' } },
    { ...was, byName: 'Ada L.' },
    { ...was, booking: { ...was.booking, end: 2 } },
    { ...was, wish: 1 },
  ];
  for (const now of others) expect(redrawing(board([was]), [now]).changed).toEqual([now]);
});

it('carried out, it turns any board into any other', () => {
  const some = fc.uniqueArray(
    fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), final: fc.boolean() }),
    { selector: ({ id }) => id },
  );
  const drawn = (list: readonly { id: string; final: boolean }[]): BoardBooking[] =>
    list.map(({ id, final }) => shownBooking(id, final ? 'committed' : 'tentative'));
  fc.assert(
    fc.property(some, some, (before, after) => {
      const shown = board(drawn(before));
      const { removed, changed, added } = redrawing(shown, drawn(after));
      removed.forEach((id) => shown.delete(id));
      for (const booking of [...changed, ...added]) shown.set(booking.booking.id, booking);
      const inOrder = (m: Map<string, BoardBooking>): unknown[] =>
        [...m.values()].sort((a, b) => (a.booking.id < b.booking.id ? -1 : 1));
      expect(inOrder(shown)).toEqual(inOrder(board(drawn(after))));
    }),
  );
});
