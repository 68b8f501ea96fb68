/** Where a booking comes from, in a sentence: who, for when, by whose clocks, and how final. */
import type { Session } from '../session/session.js';
import type { Booking } from '../shapes.js';
import { Clock } from '../time/clock.js';
import { placeOf } from '../time/shown-zone.js';
import { isSameZone, isZone } from '../time/zone.js';

/** “ (9:00 – 10:00 in New York)”, where it was booked by other clocks than those shown. */
function elsewhereText(booking: Booking, clock: Clock): string {
  const { zone } = booking;
  if (zone === undefined || !isZone(zone) || isSameZone(zone, clock.zone)) return '';
  const there = new Clock(zone);
  const isSameDay = there.dateInput(booking.start) === clock.dateInput(booking.start);
  const text = isSameDay ? there.rangeText(booking) : there.slotText(booking);
  return ` (${text} in ${placeOf(zone)})`;
}

export function provenanceOf(
  session: Session,
  bookingId: string | undefined,
  clock: Clock,
): string | undefined {
  const known = bookingId === undefined ? undefined : session.booking(bookingId);
  if (known === undefined) return undefined;
  const { booking, committed } = known;
  const name = session.people().find((p) => p.id === booking.by)?.name ?? booking.by;
  const who = booking.by === session.me ? 'you' : name;
  const stage = committed ? 'It is final.' : 'Not final yet: it waits for the server.';
  const when = `${clock.slotText(booking)}${elsewhereText(booking, clock)}`;
  return `Booked by ${who} for ${when}. ${stage}`;
}
