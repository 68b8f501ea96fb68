/**
 * What the calendar shows of bookings, rooms and updates under way. A booking is committed when
 * the tentative and the committed view agree on it: a change that only this device knows of makes
 * the two differ.
 */
import type { Booking, Person, Room } from '../shapes.js';

export type BookingStage = 'tentative' | 'committed';

export interface BoardBooking {
  readonly booking: Booking;
  readonly room: Room;
  readonly byName: string;
  readonly mine: boolean;
  readonly stage: BookingStage;
  /** Tentatively not the first wish but the n-th alternative, counted from 1. */
  readonly wish: number | undefined;
}

export interface BoardInput {
  readonly tentative: readonly Booking[];
  readonly committed: readonly Booking[];
  readonly rooms: readonly Room[];
  readonly people: readonly Person[];
  readonly me: string;
  /** Booking id → tentative outcome of the update under way for it. */
  readonly wishes: ReadonlyMap<string, number>;
}

function same(a: Booking, b: Booking | undefined): boolean {
  return (
    a === b ||
    (b !== undefined &&
      a.room === b.room &&
      a.start === b.start &&
      a.end === b.end &&
      a.title === b.title &&
      a.notes === b.notes &&
      a.by === b.by &&
      a.createdAt === b.createdAt &&
      a.zone === b.zone)
  );
}

export function boardBookings(input: BoardInput): BoardBooking[] {
  const committed = new Map(input.committed.map((b) => [b.id, b]));
  const rooms = new Map(input.rooms.map((r) => [r.id, r]));
  const people = new Map(input.people.map((p) => [p.id, p.name]));
  return input.tentative.flatMap((booking) => {
    const room = rooms.get(booking.room);
    if (room === undefined) return [];
    return [
      {
        booking,
        room,
        byName: people.get(booking.by) ?? booking.by,
        mine: booking.by === input.me,
        stage: same(booking, committed.get(booking.id)) ? 'committed' : 'tentative',
        wish: input.wishes.get(booking.id),
      },
    ];
  });
}

/** What is drawn alike need not be drawn again. */
function isDrawnAlike(a: BoardBooking, b: BoardBooking): boolean {
  return (
    same(a.booking, b.booking) &&
    a.room.name === b.room.name &&
    a.room.colour === b.room.colour &&
    a.byName === b.byName &&
    a.mine === b.mine &&
    a.stage === b.stage &&
    a.wish === b.wish
  );
}

export interface Redrawing {
  /** Booking ids. */
  readonly removed: readonly string[];
  readonly changed: readonly BoardBooking[];
  readonly added: readonly BoardBooking[];
}

/** What turns a board that shows the one into a board that shows the other. */
export function redrawing(
  shown: ReadonlyMap<string, BoardBooking>,
  wanted: readonly BoardBooking[],
): Redrawing {
  const ids = new Set(wanted.map(({ booking }) => booking.id));
  const changed: BoardBooking[] = [];
  const added: BoardBooking[] = [];
  for (const booking of wanted) {
    const before = shown.get(booking.booking.id);
    if (before === undefined) added.push(booking);
    else if (!isDrawnAlike(before, booking)) changed.push(booking);
  }
  return { removed: [...shown.keys()].filter((id) => !ids.has(id)), changed, added };
}
