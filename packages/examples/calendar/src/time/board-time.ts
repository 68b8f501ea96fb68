/**
 * The board counts in fields of a clock and knows nothing of zones: here is which fields stand for
 * which instant. A week is drawn as the clocks on the wall show it, every day of 24 rows: where
 * the clocks go forward an hour is marked as missing, where they go back the two share a row. A
 * single day on which the clocks change is drawn as it passes, in 23 or 25 hours: there each hour
 * has a row of its own.
 */
import { HOUR_MS, type Clock } from './clock.js';
import { changesIn, instantOf, offsetAt, wallOfUtc } from './zone.js';

/** A row, or several, that stand for no hour of that day, or for two. */
export interface Mark {
  readonly id: string;
  readonly kind: 'gap' | 'fold';
  /** As the board takes them. */
  readonly start: string;
  readonly end: string;
  readonly text: string;
}

export interface BoardTime {
  /** YYYY-MM-DD of the day that the board is to show. */
  readonly date: string;
  /** Hours of a day, and what stands beside each of them. */
  readonly hours: number;
  readonly labels: readonly string[];
  /** “+05:30”: what the board's own clock, of the line that shows the present, adds to UTC. */
  readonly offset: string;
  /** Days of the week, 0 is Sunday, that there have not been in the week shown. */
  readonly missing: readonly number[];
  readonly marks: readonly Mark[];
  /** YYYY-MM-DDTHH:MM:SS */
  toBoard(slot: { readonly start: number; readonly end: number }): [start: string, end: string];
  fromBoard(text: string): number;
}

const textOf = (fieldsMs: number): string => new Date(fieldsMs).toISOString().slice(0, 19);
const fieldsOf = (text: string): number => Date.parse(`${text.slice(0, 19)}Z`);

function offsetText(ms: number): string {
  const minutes = Math.abs(Math.round(ms / 60_000));
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** On the wall, at any time of the year: “01:00”, “1 AM”. */
function wallLabels(): string[] {
  const format = new Intl.DateTimeFormat(undefined, { timeStyle: 'short', timeZone: 'UTC' });
  return Array.from({ length: 24 }, (_, hour) => format.format(hour * HOUR_MS));
}

function marksOf(clock: Clock, from: number, to: number): Mark[] {
  return changesIn(clock.zone, from, to).map(({ at, before, after }) => {
    const isGap = after > before;
    const [start, end] = [at + Math.min(before, after), at + Math.max(before, after)];
    const hours = `${hourText(start)} – ${hourText(end)}`;
    return {
      id: `clocks-${at}`,
      kind: isGap ? 'gap' : 'fold',
      start: textOf(start),
      end: textOf(end),
      text: isGap ? `No ${hours}: clocks go forward` : `${hours} comes twice: clocks go back`,
    };
  });
}

const hourText = (fieldsMs: number): string =>
  new Intl.DateTimeFormat(undefined, { timeStyle: 'short', timeZone: 'UTC' }).format(fieldsMs);

/** Weekdays from Monday on that lie in a day which the clocks have jumped over. */
function missingDays(clock: Clock, from: number): number[] {
  const monday = fieldsOf(`${clock.dateInput(from)}T00:00:00`);
  const missing: number[] = [];
  for (let day = 0; day < 7; day++) {
    const midnight = monday + day * 24 * HOUR_MS;
    const shown = clock.dateInput(instantOf(wallOfUtc(midnight), clock.zone));
    if (shown !== textOf(midnight).slice(0, 10)) missing.push((day + 1) % 7);
  }
  return missing;
}

/** A week, or a day on which the clocks do not change. `from`, `to`: the stretch that is shown. */
function wallTime(clock: Clock, options: BoardTimeOptions): BoardTime {
  const { date, from, to, now } = options;
  return {
    date: clock.dateInput(date),
    hours: 24,
    labels: wallLabels(),
    offset: offsetText(offsetAt(now, clock.zone)),
    missing: missingDays(clock, clock.weekStart(from)),
    marks: marksOf(clock, from, to).filter(({ start, end }) => fieldsOf(end) - fieldsOf(start)
      < 24 * HOUR_MS),
    toBoard({ start, end }) {
      const fields = start + offsetAt(start, clock.zone);
      const until = end + offsetAt(end, clock.zone);
      // From the first of two equal hours into the second the clocks may show no later time.
      return [textOf(fields), textOf(until > fields ? until : fields + (end - start))];
    },
    fromBoard: (text) => instantOf(wallOfUtc(fieldsOf(text)), clock.zone),
  };
}

/** The hours of one day in order, however often the clocks show them. */
function passingTime(clock: Clock, { from, to }: BoardTimeOptions): BoardTime {
  const date = clock.dateInput(from);
  // The first instant of the day stands in the first row, though the clocks may show one already.
  const offset = fieldsOf(`${date}T00:00:00`) - from;
  const hours = (to - from) / HOUR_MS;
  return {
    date,
    hours,
    labels: Array.from({ length: Math.ceil(hours) }, (_, n) => clock.timeText(from + n * HOUR_MS)),
    offset: offsetText(offset),
    missing: [],
    marks: [],
    toBoard: ({ start, end }) => [textOf(start + offset), textOf(end + offset)],
    fromBoard: (text) => fieldsOf(text) - offset,
  };
}

export interface BoardTimeOptions {
  readonly view: 'day' | 'week';
  /** Any instant of the day that is shown, or that the week shown is around. */
  readonly date: number;
  /** What is shown, half-open. */
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

export function boardTime(clock: Clock, options: BoardTimeOptions): BoardTime {
  const { view, from, to } = options;
  const [change] = view === 'day' ? changesIn(clock.zone, from, to - 1) : [];
  // The clocks may change at the very start of a day, which is then a shorter one as a whole.
  const isPlain = change === undefined && to - from === 24 * HOUR_MS;
  return view === 'week' || isPlain ? wallTime(clock, options) : passingTime(clock, options);
}
