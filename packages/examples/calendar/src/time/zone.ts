/**
 * From an instant to what a zone's clocks show, and back. The way there is the platform's own
 * knowledge of zones (`Intl`), so the page carries no tables; the way back has no function in the
 * platform yet, and is where calendars go wrong: a time on the wall may stand for no instant (the
 * clocks went forward over it), for two (they went back), and a whole day may be missing
 * (Pacific/Apia, 30 December 2011).
 */

/**
 * Fields as on the wall; months from 1. A date without a time has `isDate` and zero time fields.
 */
export interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly isDate: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The fields as if the wall hung at Greenwich: a way to count with them. */
export const asIfUtc = (w: Wall): number =>
  Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second);

export function wallOfUtc(ms: number): Wall {
  const at = new Date(ms);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    isDate: false,
  };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws `RangeError` for a name that the platform does not know. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}

export function isZone(name: string): boolean {
  try {
    formatterOf(name);
    return true;
  } catch {
    // The platform has no other way to ask.
    return false;
  }
}

/** One zone may go by several names: Asia/Kolkata is Asia/Calcutta to older programs. */
export function isSameZone(a: string, b: string): boolean {
  if (a === b) return true;
  const canonical = (name: string): string => formatterOf(name).resolvedOptions().timeZone;
  return isZone(a) && isZone(b) && canonical(a) === canonical(b);
}

function measuredOffset(instant: number, zone: string): number {
  const second = Math.floor(instant / 1000) * 1000;
  const fields = new Map(formatterOf(zone).formatToParts(second).map((p) => [p.type, p.value]));
  const field = (type: Intl.DateTimeFormatPartTypes): number => Number(fields.get(type) ?? 0);
  const shown = Date.UTC(
    field('year'), field('month') - 1, field('day'),
    field('hour'), field('minute'), field('second'),
  );
  return shown - second;
}

/** Since 1973 no zone has changed its clocks other than on a quarter of an hour, UTC. */
const QUARTER_MS = 15 * 60_000;
const QUARTERS_SINCE = Date.UTC(1973, 0, 1);
const KNOWN_MAX = 20_000;
const known = new Map<string, Map<number, number>>();

/** What the zone adds to UTC at an instant, ms. */
export function offsetAt(instant: number, zone: string): number {
  if (instant < QUARTERS_SINCE) return measuredOffset(instant, zone);
  const quarter = Math.floor(instant / QUARTER_MS);
  let offsets = known.get(zone);
  if (offsets === undefined || offsets.size > KNOWN_MAX) known.set(zone, (offsets = new Map()));
  let offset = offsets.get(quarter);
  if (offset === undefined) offsets.set(quarter, (offset = measuredOffset(instant, zone)));
  return offset;
}

/** What the zone's clocks show at an instant. */
export const wallAt = (instant: number, zone: string): Wall =>
  wallOfUtc(instant + offsetAt(instant, zone));

/** The instants at which the zone's clocks show it, in order: one, none or two. */
export function instantsOf(wall: Wall, zone: string): readonly number[] {
  const shown = asIfUtc(wall);
  const offsets = new Set([offsetAt(shown - DAY_MS, zone), offsetAt(shown + DAY_MS, zone)]);
  return [...offsets]
    .map((offset) => shown - offset)
    .filter((instant) => instant + offsetAt(instant, zone) === shown)
    .sort((a, b) => a - b);
}

/**
 * One instant for any wall time: the first of two; where there is none, read with the offset
 * before the change, so that it comes out as much later as the clocks went forward (RFC 5545
 * §3.3.5).
 */
export function instantOf(wall: Wall, zone: string): number {
  const [first] = instantsOf(wall, zone);
  if (first !== undefined) return first;
  const shown = asIfUtc(wall);
  return shown - offsetAt(shown - DAY_MS, zone);
}

export interface Change {
  /** The first instant at which the new offset holds. */
  readonly at: number;
  /** ms */
  readonly before: number;
  readonly after: number;
}

/** The changes of the zone's clocks within (from, to], in order. */
export function changesIn(zone: string, from: number, to: number): readonly Change[] {
  const found: Change[] = [];
  // Two changes that undo each other lie weeks apart: no zone has had them within half a day.
  for (let start = from; start < to; start += DAY_MS / 2) {
    const end = Math.min(start + DAY_MS / 2, to);
    const [before, after] = [offsetAt(start, zone), offsetAt(end, zone)];
    if (before === after) continue;
    let [low, high] = [start, end];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (middle <= low) break;
      if (offsetAt(middle, zone) === before) low = middle;
      else high = middle;
    }
    found.push({ at: high, before, after });
  }
  return found;
}
