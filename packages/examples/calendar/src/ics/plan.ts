/**
 * From events of a file to bookings: which room, which id, and days apart. Each booking becomes
 * an update of its own with an outcome of its own: one that finds its room taken does not hold up
 * the others.
 */
import { LENGTH_MAX_MS, type BookInput, type Room } from '../shapes.js';
import type { CalendarEvent } from './read.js';
import { idOfUid } from './write.js';
import { instantOf, wallAt, type Wall } from '../time/zone.js';

export interface PlanOptions {
  readonly rooms: readonly Room[];
  /** For events whose location names none of the rooms. */
  readonly fallbackRoom: string;
  readonly by: string;
  readonly localZone: string;
}

/**
 * Ids are computed from the event, so that importing a file twice cannot book twice. FNV-1a, two
 * lanes.
 */
function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) + i;
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

function nextMidnight(instant: number, localZone: string): number {
  const wall = wallAt(instant, localZone);
  const day = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + 1));
  const midnight: Wall = {
    year: day.getUTCFullYear(),
    month: day.getUTCMonth() + 1,
    day: day.getUTCDate(),
    hour: 0,
    minute: 0,
    second: 0,
    isDate: true,
  };
  return instantOf(midnight, localZone);
}

const DAYS_MAX = 60;

/** What is longer than a booking may be is cut at midnights: a booking a day. */
export function days(
  start: number,
  end: number,
  localZone: string,
): { start: number; end: number }[] {
  if (end - start <= LENGTH_MAX_MS) return [{ start, end }];
  const parts: { start: number; end: number }[] = [];
  for (let from = start; from < end && parts.length < DAYS_MAX;) {
    const to = Math.min(end, nextMidnight(from, localZone));
    parts.push({ start: from, end: to });
    from = to;
  }
  return parts;
}

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

export function planBookings(events: readonly CalendarEvent[], options: PlanOptions): BookInput[] {
  return events.flatMap((event) => {
    const parts = days(event.start, event.end, options.localZone);
    const room =
      options.rooms.find((r) => same(r.name, event.location))?.id ?? options.fallbackRoom;
    const shared = event.series ?? (parts.length > 1 ? event.uid || event.title : undefined);
    return parts.map(({ start, end }): BookInput => {
      const own = parts.length === 1 ? idOfUid(event.uid) : undefined;
      return {
        id: own ?? `ics-${digest(`${event.uid || event.title}\n${start}`)}`,
        room,
        start,
        end,
        title: event.title.slice(0, 200) || 'Untitled',
        notes: event.notes.slice(0, 4000),
        by: options.by,
        ...(event.zone === undefined ? {} : { zone: event.zone }),
        ...(shared === undefined ? {} : { seriesId: `ics-${digest(shared)}` }),
      };
    });
  });
}
