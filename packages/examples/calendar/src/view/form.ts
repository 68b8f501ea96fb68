/**
 * What stands in the booking form, as text, and what it means on the clocks of one zone. Pure: the
 * dialog only draws it.
 */
import { timesProblem, type Booking, type Slot } from '../shapes.js';
import { inTheWay } from '../slots.js';
import type { Clock } from '../time/clock.js';

/** Which of two equal times is meant, on a day on which the clocks go back. */
export type Fold = 'first' | 'second';

export interface SlotText {
  readonly room: string;
  readonly date: string;
  readonly from: string;
  readonly to: string;
  /** Undefined: the first for a start; for an end the first that is after the start. */
  readonly fromFold?: Fold;
  readonly toFold?: Fold;
}

/** A further choice has the length of the first one. */
export interface WishText extends Pick<SlotText, 'room' | 'date' | 'from'> {
  /** Stays with the row while it moves up and down. */
  readonly key: string;
}

export interface BookingForm {
  readonly title: string;
  readonly notes: string;
  readonly slot: SlotText;
  readonly wishes: readonly WishText[];
}

/** What the dialog is opened with. */
export interface Draft {
  /** Set when an existing booking is edited. */
  readonly bookingId?: string;
  /** Set for another try: what came of the first one, in words. */
  readonly because?: string;
  /** The notice that is done with once this is booked, and how what it tells of is asked again. */
  readonly settles?: string;
  readonly again?: 'book' | 'move';
  /** The zone in which an existing booking was booked. */
  readonly zone?: string;
  readonly title: string;
  readonly notes: string;
  readonly slot: Slot;
  readonly wishes: readonly Slot[];
}

function foldOf(ms: number, clock: Clock): Fold | undefined {
  const same = clock.instantsOfInputs(clock.dateInput(ms), clock.timeInput(ms)) ?? [];
  if (same.length < 2) return undefined;
  return same[0] === ms ? 'first' : 'second';
}

export function slotFields({ room, start, end }: Slot, clock: Clock): SlotText {
  const [fromFold, toFold] = [foldOf(start, clock), foldOf(end, clock)];
  return {
    room,
    date: clock.dateInput(start),
    from: clock.timeInput(start),
    to: clock.timeInput(end),
    ...(fromFold === undefined ? {} : { fromFold }),
    ...(toFold === undefined ? {} : { toFold }),
  };
}

export const wishText = (slot: Slot, key: string, clock: Clock): WishText => ({
  key,
  room: slot.room,
  date: clock.dateInput(slot.start),
  from: clock.timeInput(slot.start),
});

export const formOf = (draft: Draft, clock: Clock): BookingForm => ({
  title: draft.title,
  notes: draft.notes,
  slot: slotFields(draft.slot, clock),
  wishes: draft.wishes.map((wish, index) => wishText(wish, `draft-${index}`, clock)),
});

const chosen = (instants: readonly number[], fold: Fold | undefined): number | undefined =>
  fold === 'second' ? instants.at(-1) : instants[0];

function nextDate(date: string): string {
  const day = new Date(`${date}T00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

/** An end that is not after the start is on the next day. */
function endOf(text: SlotText, start: number, clock: Clock): number | undefined {
  const sameDay = clock.instantsOfInputs(text.date, text.to);
  if (sameDay === undefined) return undefined;
  const after = sameDay.filter((instant) => instant > start);
  const named = text.toFold === 'first' ? sameDay[0] : sameDay.at(-1);
  if (text.toFold !== undefined && named !== undefined && named > start) return named;
  if (after.length > 0) return after[0];
  // In the gap of the same day, rather than on the next one.
  if (sameDay.length === 0 && text.to > text.from) return undefined;
  return clock.instantsOfInputs(nextDate(text.date), text.to)?.[0];
}

/** Undefined while a field is empty, or names a time that the clocks jump over. */
export function slotOfText(text: SlotText, clock: Clock): Slot | undefined {
  const start = chosen(clock.instantsOfInputs(text.date, text.from) ?? [], text.fromFold);
  if (start === undefined || start < 0) return undefined;
  const end = endOf(text, start, clock);
  return end === undefined ? undefined : { room: text.room, start, end };
}

export function slotOfWish(wish: WishText, lengthMs: number, clock: Clock): Slot | undefined {
  const start = clock.instantsOfInputs(wish.date, wish.from)?.[0];
  return start === undefined || start < 0
    ? undefined
    : { room: wish.room, start, end: start + lengthMs };
}

/** What is odd about a time that day: the clocks jump over it, or show it twice. */
export interface TimeOddity {
  readonly kind: 'gap' | 'fold';
  readonly text: string;
  /** Of a fold: the zone's name in the first and in the second of the two. */
  readonly names: readonly string[];
}

export function oddityOf(date: string, time: string, clock: Clock): TimeOddity | undefined {
  const instants = clock.instantsOfInputs(date, time);
  if (instants === undefined || instants.length === 1) return undefined;
  if (instants.length === 0) {
    const text = `There is no ${time} on that day: the clocks go forward over it.`;
    return { kind: 'gap', text, names: [] };
  }
  const text = `${time} comes twice on that day, as the clocks go back.`;
  return { kind: 'fold', text, names: instants.map((instant) => clock.zoneText(instant)) };
}

export interface Submission {
  readonly title: string;
  readonly notes: string;
  readonly slot: Slot;
  readonly orElse: readonly Slot[];
}

function slotProblem({ date, from, to }: SlotText, clock: Clock): string {
  for (const time of [from, to]) {
    const oddity = oddityOf(date, time, clock);
    if (oddity?.kind === 'gap') return oddity.text;
  }
  return 'Choose a day, a start and an end.';
}

/** The form as a request, or what is wrong with it, in words. */
export function submissionOf(form: BookingForm, clock: Clock): Submission | string {
  const title = form.title.trim();
  if (title === '') return 'Give the booking a title.';
  const slot = slotOfText(form.slot, clock);
  if (slot === undefined) return slotProblem(form.slot, clock);
  const problem = timesProblem(slot.start, slot.end);
  if (problem !== undefined) return problem;
  const orElse: Slot[] = [];
  for (const wish of form.wishes) {
    const other = slotOfWish(wish, slot.end - slot.start, clock);
    if (other === undefined)
      return oddityOf(wish.date, wish.from, clock)?.text
        ?? 'Choose a day and a start for each alternative.';
    orElse.push(other);
  }
  return { title, notes: form.notes.trim(), slot, orElse };
}

/** Whether a slot is free as far as this device knows: the final word is the server's. */
export function availability(
  slot: Slot | undefined,
  bookings: readonly Booking[],
  self: string | undefined,
): { free: boolean; by?: Booking } | undefined {
  if (slot === undefined) return undefined;
  const by = inTheWay(bookings, { ...slot, ...(self === undefined ? {} : { self }) });
  return by === undefined ? { free: true } : { free: false, by };
}

export function moved<T>(list: readonly T[], index: number, by: -1 | 1): readonly T[] {
  const target = index + by;
  const item = list[index];
  const other = list[target];
  if (item === undefined || other === undefined) return list;
  return list.with(index, other).with(target, item);
}
