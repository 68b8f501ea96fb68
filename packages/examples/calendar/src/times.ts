/**
 * Times as people read and type them, in their own time zone and language. Stored times are ms
 * since 1970, UTC.
 */
import type { Slot } from './shapes.js';

export const HOUR_MS = 3_600_000;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dayName = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
});
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });

export const timeText = (ms: number): string => clock.format(ms);
export const dayText = (ms: number): string => dayName.format(ms);
/** “Mon 7”, in this order in every language. */
export const dayHeadText = (ms: number): string =>
  `${weekday.format(ms)} ${new Date(ms).getDate()}`;

type Span = Pick<Slot, 'start' | 'end'>;

/** On one day of the calendar; midnight at its end belongs to it. */
export const isOnOneDay = ({ start, end }: Span): boolean => dayStart(start) === dayStart(end - 1);

const isWholeDays = ({ start, end }: Span): boolean =>
  dayStart(start) === start && dayStart(end) === end;

/** “10:00 – 11:00”, where the day is known from elsewhere. */
export function rangeText(span: Span): string {
  const { start, end } = span;
  if (isWholeDays(span)) return isOnOneDay(span) ? 'all day' : 'whole days';
  if (dayStart(start) === dayStart(end)) return clock.formatRange(start, end);
  const until = isOnOneDay(span) ? timeText(end) : `${dayText(end)}, ${timeText(end)}`;
  return `${timeText(start)} – ${until}`;
}

/** “Tue, 3 Mar, 10:00 – 11:00”. */
export function slotText(slot: Span): string {
  if (!isWholeDays(slot) || isOnOneDay(slot)) return `${dayText(slot.start)}, ${rangeText(slot)}`;
  return `${dayText(slot.start)} – ${dayText(slot.end - 1)}, ${rangeText(slot)}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** For `<input type="date">`. */
export function dateInput(ms: number): string {
  const d = new Date(ms);
  return `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** For `<input type="time">`. */
export function timeInput(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** What the two inputs say, as an instant; undefined while one of them is empty. */
export function instantOfInputs(date: string, time: string): number | undefined {
  const ms = new Date(`${date}T${time}`).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

const DAY_STARTS = 8;
const DAY_ENDS = 19;

/** Within one day, between eight and seven: when a free slot is worth offering. */
export function isWorkingTime({ start, end }: Pick<Slot, 'start' | 'end'>): boolean {
  const closing = new Date(start).setHours(DAY_ENDS, 0, 0, 0);
  const weekday = new Date(start).getDay();
  return (
    weekday !== 0 && weekday !== 6 && new Date(start).getHours() >= DAY_STARTS && end <= closing
  );
}

/** Midnight before, in local time. */
export const dayStart = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** Moves by days of the calendar, not by 24 hours. */
export function addDays(ms: number, days: number): number {
  const d = new Date(ms);
  return d.setDate(d.getDate() + days);
}

/** The next full half hour: where a new booking begins unless said otherwise. */
export const nextHalfHour = (ms: number): number => Math.ceil(ms / (HOUR_MS / 2)) * (HOUR_MS / 2);

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;
