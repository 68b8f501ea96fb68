/**
 * Rows and arguments of the calendar, checked wherever they enter. Times are ms since 1970, UTC;
 * a slot is half-open: [start, end). Whoever shows a time brings their own time zone.
 */
import * as z from 'zod';

const HOUR_MS = 3_600_000;
/**
 * A whole day, even the one that daylight saving makes an hour longer. Bounds the search for
 * overlaps.
 */
export const LENGTH_MAX_MS = 25 * HOUR_MS;
export const WISHES_MAX = 12;

const Id = z.string().min(1).max(200);
const Name = z.string().trim().min(1).max(80);
const Colour = z.string().regex(/^#[0-9a-f]{6}$/);
/** 8.64e15 ms is where JavaScript's dates end. */
const Time = z.int().min(0).max(8.64e15);
const Zone = z.string().regex(/^[A-Za-z0-9_+/-]{1,64}$/);
const Title = z.string().trim().min(1).max(200);
const Notes = z.string().max(4000);

export const RoomRow = z.object({
  id: Id,
  name: Name,
  colour: Colour,
  capacity: z.int().min(1).max(10_000),
});
export type Room = z.infer<typeof RoomRow>;

/** `id` is the user's name as the server verifies it. */
export const PersonRow = z.object({ id: Id, name: Name, colour: Colour });
export type Person = z.infer<typeof PersonRow>;

export const BookingRow = z.object({
  id: Id,
  room: Id,
  start: Time,
  end: Time,
  title: Title,
  /** The person who booked. */
  by: Id,
  notes: Notes,
  createdAt: Time,
  /**
   * IANA name of the zone on whose clocks it was booked. It is told and exported by them; start and
   * end are the instants that were meant. Not looked up here: what a platform knows of zones may
   * differ from replica to replica.
   */
  zone: z.exactOptional(Zone),
  /** Occurrences of one imported series carry the same one. */
  seriesId: z.exactOptional(Id),
});
export type Booking = z.infer<typeof BookingRow>;

export interface Slot {
  readonly room: string;
  readonly start: number;
  readonly end: number;
}

/** A wish replaces what it names and leaves the rest as first asked. */
const Wish = z.object({
  room: z.exactOptional(Id),
  start: z.exactOptional(Time),
  end: z.exactOptional(Time),
});
export type Wish = z.infer<typeof Wish>;
const Wishes = z.array(Wish).max(WISHES_MAX).default([]);

/** The detail of a `room-taken` rejection: the booking that stood in the way. */
export interface BlockedBy extends Slot {
  readonly id: string;
  readonly title: string;
  readonly by: string;
}

/** What is wrong with a slot's times, in words for the form; undefined if nothing is. */
export function timesProblem(start: number, end: number): string | undefined {
  if (end <= start) return 'The end must be after the start.';
  if (end - start > LENGTH_MAX_MS) return 'A booking lasts at most one day.';
  return undefined;
}

interface WithWishes {
  start: number;
  end: number;
  orElse: readonly Wish[];
}

function checkTimes(a: WithWishes, context: z.core.$RefinementCtx): void {
  const all = [a, ...a.orElse.map((wish) => ({ start: a.start, end: a.end, ...wish }))];
  all.forEach(({ start, end }, index) => {
    const message = timesProblem(start, end);
    const path = index === 0 ? ['end'] : ['orElse', index - 1, 'end'];
    if (message !== undefined) context.addIssue({ code: 'custom', message, path });
  });
}

const slot = { room: Id, start: Time, end: Time, orElse: Wishes };

export const AddRoomArgs = RoomRow;
export const AddPersonArgs = PersonRow;
export const BookArgs = BookingRow.omit({ createdAt: true }).extend(slot).superRefine(checkTimes);
export const MoveArgs = z.object({ id: Id, ...slot }).superRefine(checkTimes);
export const EditArgs = z.object({ id: Id, title: Title, notes: Notes });
export const CancelArgs = z.object({ id: Id });

/** As the app's code gives them: defaults may be left out. */
export type BookInput = z.input<typeof BookArgs>;
export type MoveInput = z.input<typeof MoveArgs>;
