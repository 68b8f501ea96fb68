/**
 * What a drag on the board means. The board tells dates of its own in the browser's zone, which may
 * jump over an hour that the zone shown has: only the distance of a drag can be trusted, and texts.
 */
import type { Calendar } from '@event-calendar/core';
import type { Booking, Slot } from '../shapes.js';
import type { BoardTime } from '../time/board-time.js';

const DAY_MS = 86_400_000;

/** ms on the board's clock. */
export const distanceOf = (delta: Calendar.Duration): number =>
  delta.days * DAY_MS + delta.seconds * 1000;

const later = (text: string, ms: number): string =>
  new Date(Date.parse(`${text}Z`) + ms).toISOString().slice(0, 19);

/** As long as before: also where the clocks change in between. */
export function dropped(booking: Booking, time: BoardTime, ms: number, room: string): Slot {
  const start = time.fromBoard(later(time.toBoard(booking)[0], ms));
  return { room, start, end: start + (booking.end - booking.start) };
}

export function resized(booking: Booking, time: BoardTime, ms: number): Slot {
  const { room, start } = booking;
  return { room, start, end: time.fromBoard(later(time.toBoard(booking)[1], ms)) };
}
