/** All bookings of a space as a file for other calendars. */
import { writeCalendar } from '../ics/write.js';
import type { Session } from '../session/session.js';
import { download } from './download.js';

export function exportAll(session: Session): void {
  const rooms = new Map(session.rooms().map((r) => [r.id, r.name]));
  const people = new Map(session.people().map((p) => [p.id, p.name]));
  const bookings = session.bookingsBetween(0, Number.MAX_SAFE_INTEGER).map((b) => ({
    ...b,
    location: rooms.get(b.room) ?? b.room,
    by: people.get(b.by) ?? b.by,
  }));
  download(`${session.space}.ics`, 'text/calendar', writeCalendar(session.space, bookings));
}
