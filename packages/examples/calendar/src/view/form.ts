/**
 * What stands in the booking form, as text, and what it means. Pure: the dialog only draws it.
 */
import { timesProblem, type Booking, type Slot } from '../shapes.js';
import { inTheWay } from '../slots.js';
import { dateInput, instantOfInputs, timeInput } from '../times.js';

export interface SlotText {
  readonly room: string;
  readonly date: string;
  readonly from: string;
  readonly to: string;
}

/** A further choice has the length of the first one. */
export interface WishText extends Omit<SlotText, 'to'> {
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
  readonly title: string;
  readonly notes: string;
  readonly slot: Slot;
  readonly wishes: readonly Slot[];
}

export function slotFields({ room, start, end }: Slot): SlotText {
  return { room, date: dateInput(start), from: timeInput(start), to: timeInput(end) };
}

export const wishText = (slot: Slot, key: string): WishText => ({
  key,
  room: slot.room,
  date: dateInput(slot.start),
  from: timeInput(slot.start),
});

export const formOf = (draft: Draft): BookingForm => ({
  title: draft.title,
  notes: draft.notes,
  slot: slotFields(draft.slot),
  wishes: draft.wishes.map((wish, index) => wishText(wish, `draft-${index}`)),
});

/** An end that is not after the start is on the next day. */
export function slotOfText({ room, date, from, to }: SlotText): Slot | undefined {
  const start = instantOfInputs(date, from);
  const sameDay = instantOfInputs(date, to);
  if (start === undefined || sameDay === undefined || start < 0) return undefined;
  if (sameDay > start) return { room, start, end: sameDay };
  const nextDay = new Date(sameDay);
  return { room, start, end: nextDay.setDate(nextDay.getDate() + 1) };
}

export function slotOfWish(wish: WishText, lengthMs: number): Slot | undefined {
  const start = instantOfInputs(wish.date, wish.from);
  return start === undefined || start < 0
    ? undefined
    : { room: wish.room, start, end: start + lengthMs };
}

export interface Submission {
  readonly title: string;
  readonly notes: string;
  readonly slot: Slot;
  readonly orElse: readonly Slot[];
}

/** The form as a request, or what is wrong with it, in words. */
export function submissionOf(form: BookingForm): Submission | string {
  const title = form.title.trim();
  if (title === '') return 'Give the booking a title.';
  const slot = slotOfText(form.slot);
  if (slot === undefined) return 'Choose a day, a start and an end.';
  const problem = timesProblem(slot.start, slot.end);
  if (problem !== undefined) return problem;
  const orElse: Slot[] = [];
  for (const wish of form.wishes) {
    const other = slotOfWish(wish, slot.end - slot.start);
    if (other === undefined) return 'Choose a day and a start for each alternative.';
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
