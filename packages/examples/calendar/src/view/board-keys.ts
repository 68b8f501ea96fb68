/** Moving a booking without a pointer: what a key means for the booking that has the focus. */
import type { KeyboardEvent } from 'react';
import type { Room, Slot } from '../shapes.js';
import type { Clock } from '../time/clock.js';
import type { BoardBooking } from './board.js';
import { bookingOf } from './focus.js';

interface Shown {
  readonly view: 'day' | 'week';
  readonly rooms: readonly Room[];
  readonly bookings: readonly BoardBooking[];
  readonly clock: Clock;
}

const QUARTER_MS = 15 * 60_000;

/** The clocks show the same start, and it lasts as long: also over the night they change. */
function movedByDays({ start, end }: Omit<Slot, 'room'>, days: number, clock: Clock) {
  const moved = clock.addDays(start, days);
  return { start: moved, end: moved + (end - start) };
}

/**
 * Alt with arrows moves the booking that has the focus; with Shift its end. Sideways: the next
 * day or room.
 */
export function movedByKey(
  event: KeyboardEvent<HTMLElement>,
  { view, rooms, bookings, clock }: Shown,
): [string, Slot] | undefined {
  if (!event.altKey || !(event.target instanceof HTMLElement)) return undefined;
  const id = bookingOf(event.target);
  const booking = bookings.find((b) => b.booking.id === id)?.booking;
  if (booking === undefined) return undefined;
  const { room, start, end } = booking;
  const up = event.key === 'ArrowUp' || event.key === 'ArrowLeft' ? -1 : 1;
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    const shift = up * QUARTER_MS;
    return [booking.id, { room, start: event.shiftKey ? start : start + shift, end: end + shift }];
  }
  if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return undefined;
  if (view === 'week')
    return [booking.id, { room, ...movedByDays({ start, end }, up, clock) }];
  const next = rooms[rooms.findIndex((r) => r.id === room) + up];
  return next === undefined ? undefined : [booking.id, { room: next.id, start, end }];
}

/** The booking before or after the one that has the focus, in the order of time. */
export function nextByKey(
  event: KeyboardEvent<HTMLElement>,
  bookings: readonly BoardBooking[],
): string | undefined {
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (step === undefined || !isPlain || !(event.target instanceof HTMLElement)) return undefined;
  const id = bookingOf(event.target);
  const inOrder = bookings
    .map(({ booking }) => booking)
    .sort((a, b) => a.start - b.start || (a.room < b.room ? -1 : 1));
  const at = inOrder.findIndex((booking) => booking.id === id);
  return at < 0 ? undefined : inOrder[at + step]?.id;
}
