/**
 * Where else a booking would fit: what the dialog offers as alternatives, and after a refusal as
 * another try. Bounded: looks a week ahead in steps of a quarter of an hour.
 */
import type { Booking, Room, Slot } from './shapes.js';

export interface Wanted extends Slot {
  /** A booking that moves does not stand in its own way. */
  readonly self?: string;
}

const STEP_MS = 15 * 60_000;
const AHEAD_MS = 7 * 24 * 3_600_000;

const overlaps = (a: Slot, b: Slot): boolean =>
  a.room === b.room && a.start < b.end && b.start < a.end;

/** The booking that stands in the way of a slot, if one does. */
export function inTheWay(bookings: readonly Booking[], wanted: Wanted): Booking | undefined {
  return bookings.find((b) => b.id !== wanted.self && overlaps(b, wanted));
}

export interface SearchOptions {
  readonly bookings: readonly Booking[];
  readonly rooms: readonly Room[];
  /** The instant from which a start is possible: nobody books the past. */
  readonly notBefore: number;
  /** Whether people meet at this hour; said by whoever knows their time zone. */
  readonly isWorkingTime: (slot: Slot) => boolean;
  readonly count: number;
}

/**
 * The room's next free slots of the same length, not overlapping each other. Where the wanted one
 * still looks free, they begin after it: whoever takes it first takes what overlaps it, too.
 */
export function laterSlots(wanted: Wanted, options: SearchOptions): Slot[] {
  const { bookings, isWorkingTime, notBefore, count } = options;
  const length = wanted.end - wanted.start;
  const isTaken = inTheWay(bookings, wanted) !== undefined;
  const found: Slot[] = [];
  const earliest = Math.ceil(notBefore / STEP_MS) * STEP_MS;
  let start = Math.max(isTaken ? wanted.start : wanted.end, earliest);
  for (const limit = start + AHEAD_MS; start < limit && found.length < count;) {
    const slot = { room: wanted.room, start, end: start + length };
    const blocker = inTheWay(bookings, { ...wanted, ...slot });
    if (blocker !== undefined) {
      start = Math.max(start + STEP_MS, Math.ceil(blocker.end / STEP_MS) * STEP_MS);
    } else if (!isWorkingTime(slot)) {
      start += STEP_MS;
    } else {
      found.push(slot);
      start += Math.max(length, STEP_MS);
    }
  }
  return found;
}

/** Other rooms that are free at the wanted time, the smallest that hold as many people first. */
export function otherRooms(wanted: Wanted, options: SearchOptions): Slot[] {
  const { bookings, rooms, count } = options;
  const capacity = rooms.find((r) => r.id === wanted.room)?.capacity ?? 0;
  const misfit = (room: Room): number =>
    room.capacity >= capacity ? room.capacity - capacity : 10_000 + capacity - room.capacity;
  return rooms
    .filter((room) => room.id !== wanted.room)
    .sort((a, b) => misfit(a) - misfit(b) || (a.name < b.name ? -1 : 1))
    .map((room) => ({ room: room.id, start: wanted.start, end: wanted.end }))
    .filter((slot) => inTheWay(bookings, { ...wanted, ...slot }) === undefined)
    .slice(0, count);
}

/** Another room as early as one is free: at the wanted time if possible. */
export function elsewhere(wanted: Wanted, options: SearchOptions): Slot[] {
  const now = wanted.start >= options.notBefore ? otherRooms(wanted, options) : [];
  const later = options.rooms
    .filter((room) => room.id !== wanted.room)
    .flatMap((room) => laterSlots({ ...wanted, room: room.id }, options))
    .sort((a, b) => a.start - b.start);
  return [...now, ...later].slice(0, options.count);
}

/** Both kinds, best first: another room now, then the same room later. */
export function suggestions(wanted: Wanted, options: SearchOptions): Slot[] {
  const rooms = wanted.start >= options.notBefore ? otherRooms(wanted, options) : [];
  const later = laterSlots(wanted, options);
  const mixed: Slot[] = [];
  for (let i = 0; i < options.count; i++) {
    const room = rooms[i];
    const time = later[i];
    if (room !== undefined) mixed.push(room);
    if (time !== undefined) mixed.push(time);
  }
  return mixed.slice(0, options.count);
}
