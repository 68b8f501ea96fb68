/**
 * The occurrences of a series within a window. Rules walk on the wall clock ("every Monday at
 * nine"), and only then become instants: that is what keeps nine o'clock at nine when daylight
 * saving changes. Every walk is bounded: a rule may be legal and still never end.
 */
import ICAL from 'ical.js';
import { instantOf, type Length, type Moment, type ParsedEvent, type Rule } from './event.js';
import type { Problem } from './lines.js';
import type { Wall } from '../time/zone.js';
import type { Zone } from './zones.js';

/** ms since 1970, half-open. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A daily series of fifty years fits; one of every second is cut short. */
export const STEPS_MAX = 20_000;
export const OCCURRENCES_MAX = 1_000;

function wallOfTime(time: ICAL.Time): Wall {
  const { year, month, day, hour, minute, second, isDate } = time;
  return { year, month, day, hour, minute, second, isDate };
}

const floating = (wall: Wall): ICAL.Time => new ICAL.Time(wall, ICAL.Timezone.localTimezone);

const dateText = (w: Wall): string =>
  [
    String(w.year).padStart(4, '0'),
    String(w.month).padStart(2, '0'),
    String(w.day).padStart(2, '0'),
  ].join('-');

/**
 * Whether an occurrence is still within UNTIL, which may be a date, UTC, or (against the RFC)
 * local.
 */
function withinUntil(until: ICAL.Time | null, wall: Wall, instant: number, zone: Zone): boolean {
  if (until === null) return true;
  const last = wallOfTime(until);
  if (last.isDate || wall.isDate) return dateText(wall) <= dateText(last);
  const isUtc = until.zone === ICAL.Timezone.utcTimezone;
  return instant <= (isUtc ? until.toUnixTime() * 1000 : zone(last));
}

/**
 * The library looks for the next match of a rule without end, and a rule can be legal and match
 * nothing (30 February, daily). Every candidate passes through this method: the place to count
 * them.
 */
class BoundedIterator extends ICAL.RecurIterator {
  #candidates = 0;

  override check_contracting_rules(): boolean {
    if (++this.#candidates > STEPS_MAX)
      throw new Error('it matches no day, or too seldom to be found');
    return super.check_contracting_rules();
  }
}

class Series {
  /** By instant. A further date may be told in another zone than the series. */
  readonly starts = new Map<number, Moment>();
  readonly problems: Problem[] = [];
  readonly #event: ParsedEvent;
  readonly #window: Window;

  constructor(event: ParsedEvent, window: Window) {
    this.#event = event;
    this.#window = window;
  }

  fill(): void {
    const { start, extra, rules, except } = this.#event;
    for (const moment of [start, ...extra]) this.#add(moment, instantOf(moment));
    for (const rule of rules) {
      try {
        this.#walk(rule);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        this.problems.push({ line: rule.line, reason: `This series cannot be followed: ${why}` });
      }
    }
    for (const moment of except) this.#remove(moment);
  }

  #walk({ line, recur }: Rule): void {
    const { zone, wall: first } = this.#event.start;
    const endless = recur.clone();
    // UNTIL is checked here, as an instant: the library compares it with a wall time that has
    // lost its zone.
    endless.until = null;
    const iterator = new BoundedIterator({ rule: endless, dtstart: floating(first) });
    for (let steps = 0; ; steps++) {
      if (steps === STEPS_MAX || this.starts.size > OCCURRENCES_MAX) {
        this.problems.push({
          line,
          reason: 'This series repeats too often: its later occurrences are left out',
        });
        return;
      }
      const next: ICAL.Time | null = iterator.next() ?? null;
      if (next === null) return;
      const wall = wallOfTime(next);
      const instant = zone(wall);
      if (instant >= this.#window.to || !withinUntil(recur.until, wall, instant, zone)) return;
      this.#add({ wall, zone }, instant);
    }
  }

  #add(moment: Moment, instant: number): void {
    if (instant < this.#window.to && instant >= this.#window.from) this.starts.set(instant, moment);
  }

  /** An exception that is a bare date takes out whatever begins on that day. */
  #remove(moment: Moment): void {
    this.starts.delete(instantOf(moment));
    if (!moment.wall.isDate) return;
    for (const [instant, { wall }] of this.starts) {
      if (dateText(wall) === dateText(moment.wall)) this.starts.delete(instant);
    }
  }
}

export function endOf(wall: Wall, zone: Zone, length: Length): number {
  if (length.days === 0) return zone(wall) + length.ms;
  const later = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + length.days));
  const shifted: Wall = {
    ...wall,
    year: later.getUTCFullYear(),
    month: later.getUTCMonth() + 1,
    day: later.getUTCDate(),
  };
  return zone(shifted) + length.ms;
}

export const isSeries = (event: ParsedEvent): boolean =>
  event.rules.length + event.extra.length > 0;

/**
 * In order of time. `replaced` are the original starts of occurrences that other events stand
 * for.
 */
export function occurrences(
  event: ParsedEvent,
  window: Window,
  replaced: ReadonlySet<number>,
): { spans: Span[]; problems: Problem[] } {
  const series = new Series(event, window);
  series.fill();
  const spans = [...series.starts]
    .filter(([instant]) => !replaced.has(instant))
    .map(([start, { wall, zone }]) => ({ start, end: endOf(wall, zone, event.length) }))
    .sort((a, b) => a.start - b.start);
  return { spans, problems: series.problems };
}
