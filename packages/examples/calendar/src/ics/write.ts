/**
 * Bookings to an .ics file that other calendars read. Times are written in UTC: an instant is
 * what was booked, and no reader can get a time zone wrong that is not there. The library escapes
 * and folds.
 */
import ICAL from 'ical.js';

export interface Exported {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly title: string;
  readonly notes: string;
  /** The room's name. */
  readonly location: string;
  /** The name of the person who booked. */
  readonly by: string;
  readonly createdAt: number;
}

/**
 * The id can be had back from the uid: importing one's own export finds what is there already.
 */
const UID_SUFFIX = '@calendar.oxbow';
export const uidOf = (id: string): string => id + UID_SUFFIX;
export const idOfUid = (uid: string): string | undefined =>
  uid.endsWith(UID_SUFFIX) ? uid.slice(0, -UID_SUFFIX.length) : undefined;

const instant = (ms: number): ICAL.Time => ICAL.Time.fromJSDate(new Date(ms), true);

/** Control characters may not stand in a text value, escaped or not (RFC 5545 §3.3.11). */
const clean = (text: string): string =>
  text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');

function eventOf(booking: Exported): ICAL.Component {
  const event = new ICAL.Component('vevent');
  event.addPropertyWithValue('uid', uidOf(booking.id));
  event.addPropertyWithValue('dtstamp', instant(booking.createdAt));
  event.addPropertyWithValue('dtstart', instant(booking.start));
  event.addPropertyWithValue('dtend', instant(booking.end));
  event.addPropertyWithValue('summary', clean(booking.title));
  event.addPropertyWithValue('location', clean(booking.location));
  if (booking.notes !== '') event.addPropertyWithValue('description', clean(booking.notes));
  event.addPropertyWithValue('contact', clean(booking.by));
  return event;
}

export function writeCalendar(name: string, bookings: readonly Exported[]): string {
  const root = new ICAL.Component('vcalendar');
  root.addPropertyWithValue('version', '2.0');
  root.addPropertyWithValue('prodid', '-//Oxbow//Calendar//EN');
  root.addPropertyWithValue('calscale', 'GREGORIAN');
  root.addPropertyWithValue('x-wr-calname', clean(name));
  for (const booking of bookings) root.addSubcomponent(eventOf(booking));
  return `${root.toString()}\r\n`;
}
