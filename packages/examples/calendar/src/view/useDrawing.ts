/** The bookings on the board, drawn anew where they have changed, and the focus that stays. */
import type { Calendar } from '@event-calendar/core';
import { useEffect, useRef } from 'react';
import type { BoardTime } from '../time/board-time.js';
import { redrawing, type BoardBooking } from './board.js';
import { eventOf, markOf } from './card.js';
import { bookingOf, focusBooking } from './focus.js';

type Shown = Map<string, BoardBooking>;

/**
 * Draws what has changed and leaves the rest alone: a busy week is hundreds of cards, and drawing
 * them all takes a noticeable while. Where most of them change, all at once is faster.
 */
function draw(
  calendar: Calendar,
  shown: Shown,
  bookings: readonly BoardBooking[],
  time: BoardTime,
): void {
  const { removed, changed, added } = redrawing(shown, bookings);
  const changes = removed.length + changed.length + added.length;
  if (changes > bookings.length / 2) drawAll(calendar, bookings, time);
  else {
    removed.forEach((id) => calendar.removeEventById(id));
    changed.forEach((booking) => calendar.updateEvent(eventOf(booking, time)));
    added.forEach((booking) => calendar.addEvent(eventOf(booking, time)));
  }
  removed.forEach((id) => shown.delete(id));
  for (const booking of [...changed, ...added]) shown.set(booking.booking.id, booking);
}

function drawAll(calendar: Calendar, bookings: readonly BoardBooking[], time: BoardTime): void {
  const cards = bookings.map((booking) => eventOf(booking, time));
  calendar.setOption('events', [...cards, ...time.marks.map(markOf)]);
}

interface Drawn {
  readonly on: Calendar;
  readonly time: BoardTime;
  readonly shown: Shown;
}

export function useDrawing(
  calendar: { readonly current: Calendar | null },
  bookings: readonly BoardBooking[],
  time: BoardTime,
): void {
  const drawn = useRef<Drawn>(undefined);
  const awaited = useRef<string>(undefined);
  useEffect(() => {
    // Once a frame: the board carries out what it is told only when the caller has returned, and
    // would lose a booking that is added in the same breath.
    const frame = requestAnimationFrame(() => {
      const on = calendar.current;
      if (on === null) return;
      const focused = bookingOf(document.activeElement) ?? awaited.current;
      if (drawn.current?.on === on && drawn.current.time === time) {
        draw(on, drawn.current.shown, bookings, time);
      } else {
        // The same bookings may stand elsewhere by another clock.
        drawn.current = { on, time, shown: new Map(bookings.map((b) => [b.booking.id, b])) };
        drawAll(on, bookings, time);
      }
      if (focused === undefined) return;
      awaited.current = focused;
      focusBooking(focused, () => (awaited.current = undefined));
    });
    return () => cancelAnimationFrame(frame);
  }, [calendar, bookings, time]);
}
