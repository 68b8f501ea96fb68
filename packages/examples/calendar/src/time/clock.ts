/**
 * Times as people read and type them: in the zone that they have chosen, in their own language.
 * Stored times are instants, ms since 1970. All arithmetic on days is done on the zone's own
 * calendar: a day has 23, 24 or 25 hours, and now and then a day is missing.
 */
import type { Slot } from '../shapes.js';
import { asIfUtc, instantOf, instantsOf, offsetAt, wallAt, wallOfUtc, type Wall } from './zone.js';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Span = Pick<Slot, 'start' | 'end'>;

const two = (n: number): string => String(n).padStart(2, '0');

/** YYYY-MM-DD, as `<input type="date">` has it. */
export const dateTextOf = ({ year, month, day }: Wall): string =>
  `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;

/** What a date and a time as typed say; undefined while one of them is empty. */
export function wallOfInputs(date: string, time: string): Wall | undefined {
  const ms = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(ms) ? undefined : wallOfUtc(ms);
}

const DAY_STARTS = 8;
const DAY_ENDS = 19;

export class Clock {
  readonly zone: string;
  readonly #time: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #longDay: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;
  readonly #zoneName: Intl.DateTimeFormat;

  /** `zone`: an IANA name that the platform knows. `locale`: the reader's own, unless given. */
  constructor(zone: string, locale?: string) {
    const format = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
    this.zone = zone;
    this.#time = format({ timeStyle: 'short' });
    this.#day = format({ weekday: 'short', day: 'numeric', month: 'short' });
    this.#longDay = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    this.#weekday = format({ weekday: 'short' });
    this.#zoneName = format({ timeZoneName: 'short' });
  }

  wall(ms: number): Wall {
    return wallAt(ms, this.zone);
  }

  /** Where the same time comes twice that day, with the zone's name of that hour. */
  timeText(ms: number): string {
    const text = this.#time.format(ms);
    return this.isTwice(ms) ? `${text} ${this.zoneText(ms)}` : text;
  }

  dayText(ms: number): string {
    return this.#day.format(ms);
  }

  longDayText(ms: number): string {
    return this.#longDay.format(ms);
  }

  /** “Mon 7”, in this order in every language. */
  dayHeadText(ms: number): string {
    return `${this.#weekday.format(ms)} ${this.wall(ms).day}`;
  }

  /** “CET”, “GMT+5:30”: as the zone is called at that instant. */
  zoneText(ms: number): string {
    const parts = this.#zoneName.formatToParts(ms);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? this.zone;
  }

  /** Days from `from` to `to`, both included: “16 – 22 November 2026”. */
  daysText(from: number, to: number, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone: this.zone })
      .formatRange(from, to);
  }

  /** The clocks show this time twice, as they go back that day. */
  isTwice(ms: number): boolean {
    if (offsetAt(ms - 3 * HOUR_MS, this.zone) === offsetAt(ms + 3 * HOUR_MS, this.zone))
      return false;
    return instantsOf(this.wall(ms), this.zone).length > 1;
  }

  /** On one day of the calendar; midnight at its end belongs to it. */
  isOnOneDay({ start, end }: Span): boolean {
    return this.dateInput(start) === this.dateInput(end - 1);
  }

  #isWholeDays({ start, end }: Span): boolean {
    return this.dayStart(start) === start && this.dayStart(end) === end;
  }

  /** “10:00 – 11:00”, where the day is known from elsewhere. */
  rangeText(span: Span): string {
    const { start, end } = span;
    if (this.#isWholeDays(span)) return this.isOnOneDay(span) ? 'all day' : 'whole days';
    const isPlain = !this.isTwice(start) && !this.isTwice(end) && start < end;
    if (isPlain && this.dateInput(start) === this.dateInput(end))
      return this.#time.formatRange(start, end);
    const until = this.isOnOneDay(span)
      ? this.timeText(end)
      : `${this.dayText(end)}, ${this.timeText(end)}`;
    return `${this.timeText(start)} – ${until}`;
  }

  /** “Tue, 3 Mar, 10:00 – 11:00”. */
  slotText(slot: Span): string {
    if (!this.#isWholeDays(slot) || this.isOnOneDay(slot))
      return `${this.dayText(slot.start)}, ${this.rangeText(slot)}`;
    const days = `${this.dayText(slot.start)} – ${this.dayText(slot.end - 1)}`;
    return `${days}, ${this.rangeText(slot)}`;
  }

  /** For `<input type="date">`. */
  dateInput(ms: number): string {
    return dateTextOf(this.wall(ms));
  }

  /** For `<input type="time">`. */
  timeInput(ms: number): string {
    const { hour, minute } = this.wall(ms);
    return `${two(hour)}:${two(minute)}`;
  }

  /** The instants that a date and a time as typed mean: one, none or two; undefined if unfit. */
  instantsOfInputs(date: string, time: string): readonly number[] | undefined {
    const wall = wallOfInputs(date, time);
    return wall === undefined ? undefined : instantsOf(wall, this.zone);
  }

  /** An instant of the day named; that of the next one where there has been no such day. */
  dayOfInput(date: string): number | undefined {
    const wall = wallOfInputs(date, '00:00');
    return wall === undefined ? undefined : instantOf(wall, this.zone);
  }

  /** The first instant of the day. */
  dayStart(ms: number): number {
    return instantOf({ ...this.wall(ms), hour: 0, minute: 0, second: 0 }, this.zone);
  }

  /** As many hours into the day as the clocks show. */
  atHour(ms: number, hour: number): number {
    return instantOf({ ...this.wall(ms), hour, minute: 0, second: 0 }, this.zone);
  }

  /**
   * Moves by days of the calendar, not by 24 hours: the clocks show the same. Over a day that the
   * zone has left out, to the one beyond.
   */
  addDays(ms: number, days: number): number {
    const shown = asIfUtc(this.wall(ms));
    const target = instantOf(wallOfUtc(shown + days * DAY_MS), this.zone);
    const isStuck = days < 0 && target + DAY_MS / 2 > ms;
    return isStuck ? instantOf(wallOfUtc(shown + (days - 1) * DAY_MS), this.zone) : target;
  }

  /** The first day of the week, Monday, as an instant. */
  weekStart(ms: number): number {
    const wall = this.wall(ms);
    const sinceMonday = (new Date(asIfUtc(wall)).getUTCDay() + 6) % 7;
    const midnight = { ...wall, hour: 0, minute: 0, second: 0 };
    return instantOf(wallOfUtc(asIfUtc(midnight) - sinceMonday * DAY_MS), this.zone);
  }

  /** Within one day, between eight and seven: when a free slot is worth offering. */
  isWorkingTime = ({ start, end }: Span): boolean => {
    const wall = this.wall(start);
    const weekday = new Date(asIfUtc(wall)).getUTCDay();
    const isWeekday = weekday !== 0 && weekday !== 6;
    return isWeekday && wall.hour >= DAY_STARTS && end <= this.atHour(start, DAY_ENDS);
  };

  /** The next full half hour: where a new booking begins unless said otherwise. */
  nextHalfHour(ms: number): number {
    const offset = offsetAt(ms, this.zone);
    return Math.ceil((ms + offset) / (HOUR_MS / 2)) * (HOUR_MS / 2) - offset;
  }
}

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString()} ${n === 1 ? one : many}`;
