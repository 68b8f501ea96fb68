/**
 * Bookings to an .ics file that other calendars read. Times are written on the clocks by which they
 * were booked, with the zone's rules beside them (RFC 5545 §3.6.5): whoever moves a meeting at nine
 * by a month wants it at nine. Of two equal hours readers take either, whatever the RFC says: those
 * are written in UTC. The library escapes and folds.
 */
import ICAL from 'ical.js';
import { instantsOf, isZone, wallAt } from '../time/zone.js';
import { zoneRules } from './zone-rules.js';

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
  /** On whose clocks it was booked. */
  readonly zone?: string;
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

const isNamed = (zone: string | undefined): zone is string => zone !== undefined && isZone(zone);

function addTime(event: ICAL.Component, name: string, ms: number, zone: string | undefined): void {
  const wall = isNamed(zone) ? wallAt(ms, zone) : undefined;
  if (!isNamed(zone) || wall === undefined || instantsOf(wall, zone).length > 1) {
    event.addPropertyWithValue(name, instant(ms));
    return;
  }
  const local = new ICAL.Time(wall, ICAL.Timezone.localTimezone);
  event.addPropertyWithValue(name, local).setParameter('tzid', zone);
}

function eventOf(booking: Exported): ICAL.Component {
  const event = new ICAL.Component('vevent');
  event.addPropertyWithValue('uid', uidOf(booking.id));
  event.addPropertyWithValue('dtstamp', instant(booking.createdAt));
  addTime(event, 'dtstart', booking.start, booking.zone);
  addTime(event, 'dtend', booking.end, booking.zone);
  event.addPropertyWithValue('summary', clean(booking.title));
  event.addPropertyWithValue('location', clean(booking.location));
  if (booking.notes !== '') event.addPropertyWithValue('description', clean(booking.notes));
  event.addPropertyWithValue('contact', clean(booking.by));
  return event;
}

const earliest = (times: readonly number[]): number => times.reduce((a, b) => Math.min(a, b));
const latest = (times: readonly number[]): number => times.reduce((a, b) => Math.max(a, b));

export function writeCalendar(name: string, bookings: readonly Exported[]): string {
  const root = new ICAL.Component('vcalendar');
  root.addPropertyWithValue('version', '2.0');
  root.addPropertyWithValue('prodid', '-//Oxbow//Calendar//EN');
  root.addPropertyWithValue('calscale', 'GREGORIAN');
  root.addPropertyWithValue('x-wr-calname', clean(name));
  for (const zone of new Set(bookings.map((b) => b.zone).filter(isNamed))) {
    const times = bookings.filter((b) => b.zone === zone).flatMap((b) => [b.start, b.end]);
    root.addSubcomponent(zoneRules(zone, earliest(times), latest(times)));
  }
  for (const booking of bookings) root.addSubcomponent(eventOf(booking));
  return `${root.toString()}\r\n`;
}
