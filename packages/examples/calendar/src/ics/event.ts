/**
 * One VEVENT, line by line. A line that the library cannot read is reported and left out; the
 * event is lost only if what is missing is when it takes place. Dates are checked here field by
 * field: the library silently turns month 13 into next January.
 */
import ICAL from 'ical.js';
import { nameOf, NAMELESS, type Block, type ContentLine, type Problem } from './lines.js';
import type { Wall } from '../time/zone.js';
import { utc, type Zone, type Zones } from './zones.js';

export interface Moment {
  readonly wall: Wall;
  readonly zone: Zone;
}

export const instantOf = (moment: Moment): number => moment.zone(moment.wall);

/** Days are nominal (a day may have 23 hours), ms are exact. */
export interface Length {
  readonly days: number;
  readonly ms: number;
}

export interface Rule {
  readonly line: number;
  readonly recur: ICAL.Recur;
}

export interface ParsedEvent {
  readonly line: number;
  readonly uid: string;
  readonly title: string;
  readonly notes: string;
  readonly location: string;
  readonly cancelled: boolean;
  readonly start: Moment;
  readonly length: Length;
  readonly rules: readonly Rule[];
  readonly extra: readonly Moment[];
  readonly except: readonly Moment[];
  /** Set on an event that replaces one occurrence of a series: where that one was. */
  readonly replaces: Moment | undefined;
}

/** [name, parameters, type, ...values]: RFC 7265. */
type JCal = [string, Record<string, string | string[]>, string, ...unknown[]];

const UNSUPPORTED: Readonly<Record<string, string>> = {
  exrule: 'EXRULE is not supported: its exceptions are not taken out',
};

class EventReader {
  readonly problems: Problem[] = [];
  readonly #zones: Zones;
  readonly #values = new Map<string, JCal>();
  readonly #moments = new Map<string, Moment[]>();
  readonly #rules: Rule[] = [];

  constructor(zones: Zones) {
    this.#zones = zones;
  }

  line(content: ContentLine): void {
    const name = nameOf(content);
    if (name === undefined) {
      this.#report(content.line, NAMELESS);
      return;
    }
    try {
      // reason: the library types what it parses as any; JCal is the shape that RFC 7265 gives
      // it.
      this.#property(ICAL.parse.property(content.text) as JCal, content);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      // The library repeats the line, which may be long and private, in quotes.
      const why = said.length > 80 ? said.replace(/ ".*$/s, '').slice(0, 80) : said;
      this.#report(content.line, `${name} cannot be read: ${why}`);
    }
  }

  finish(block: Block): ParsedEvent | undefined {
    const start = this.#moments.get('dtstart')?.[0];
    if (start === undefined) {
      this.#report(block.line, 'This event has no readable start (DTSTART)');
      return undefined;
    }
    const length = this.#length(start);
    if (typeof length === 'string') {
      this.#report(block.line, length);
      return undefined;
    }
    return {
      line: block.line,
      uid: this.#text('uid'),
      title: this.#text('summary'),
      notes: this.#text('description'),
      location: this.#text('location'),
      cancelled: this.#text('status').toUpperCase() === 'CANCELLED',
      start,
      length,
      rules: this.#rules,
      extra: this.#moments.get('rdate') ?? [],
      except: this.#moments.get('exdate') ?? [],
      replaces: this.#moments.get('recurrence-id')?.[0],
    };
  }

  #property(jcal: JCal, content: ContentLine): void {
    const [name, parameters] = jcal;
    const unsupported = UNSUPPORTED[name];
    if (unsupported !== undefined) this.#report(content.line, unsupported);
    if (['dtstart', 'dtend', 'rdate', 'exdate', 'recurrence-id'].includes(name)) {
      const known = this.#moments.get(name) ?? [];
      this.#moments.set(name, [...known, ...this.#momentsOf(jcal, content)]);
    }
    if (name === 'rrule') {
      const recur: unknown = new ICAL.Property(jcal).getFirstValue();
      if (recur instanceof ICAL.Recur) this.#rules.push({ line: content.line, recur });
    }
    if (name === 'recurrence-id' && parameters['range'] !== undefined) {
      this.#report(
        content.line,
        'A change of all later occurrences is not supported: only this one changes',
      );
    }
    if (name === 'duration') ICAL.Duration.fromString(String(jcal[3]));
    this.#values.set(name, jcal);
  }

  #momentsOf(jcal: JCal, content: ContentLine): Moment[] {
    const [, parameters, , ...values] = jcal;
    const tzid = parameters['tzid'];
    let zone = this.#zones.local;
    if (typeof tzid === 'string') {
      const found = this.#zones.find(tzid);
      if (found === undefined) {
        this.#report(
          content.line,
          `The time zone "${tzid}" is unknown: read in your own time zone`,
        );
      }
      zone = found ?? zone;
    }
    return values.map((value) => {
      // A period is [start, end or duration]: the start is what counts for a further occurrence.
      const text = String(Array.isArray(value) ? value[0] : value);
      return { wall: wallOf(text), zone: text.endsWith('Z') ? utc : zone };
    });
  }

  #length(start: Moment): Length | string {
    const end = this.#moments.get('dtend')?.[0];
    if (end !== undefined) {
      const { wall, zone } = end;
      const between = zone(wall) - instantOf(start);
      if (between === 0) return 'This event has no length';
      if (between < 0) return 'This event ends before it starts';
      if (!start.wall.isDate) return { days: 0, ms: between };
      return { days: Math.max(1, utcDays(wall) - utcDays(start.wall)), ms: 0 };
    }
    const duration = this.#values.get('duration');
    if (duration !== undefined) return lengthOf(ICAL.Duration.fromString(String(duration[3])));
    return start.wall.isDate ? { days: 1, ms: 0 } : 'This event has no end and no duration';
  }

  #text(name: string): string {
    const value = this.#values.get(name)?.[3];
    return typeof value === 'string' ? value.trim() : '';
  }

  #report(line: number, reason: string): void {
    this.problems.push({ line, reason });
  }
}

const DAY_MS = 86_400_000;
const utcDays = (w: Wall): number => Math.floor(Date.UTC(w.year, w.month - 1, w.day) / DAY_MS);

function lengthOf(d: ICAL.Duration): Length | string {
  const days = d.weeks * 7 + d.days;
  const ms = (d.hours * 3600 + d.minutes * 60 + d.seconds) * 1000;
  return d.isNegative || days + ms === 0 ? 'This event has no length' : { days, ms };
}

/** Throws when the text is not a moment of the calendar that we count by. */
function wallOf(text: string): Wall {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})Z?)?$/.exec(text);
  if (match === null) throw new Error(`"${text}" is not a date`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const valid =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth &&
    hour < 24 &&
    minute < 60 &&
    second <= 60;
  if (!valid) throw new Error(`there is no ${text}`);
  return {
    year,
    month,
    day,
    hour,
    minute,
    second: Math.min(second, 59),
    isDate: match[4] === undefined,
  };
}

export function parseEvent(
  block: Block,
  zones: Zones,
): { event: ParsedEvent | undefined; problems: Problem[] } {
  const reader = new EventReader(zones);
  for (const content of block.lines) reader.line(content);
  const event = reader.finish(block);
  return { event, problems: reader.problems };
}
