/**
 * Bookings by what is remembered of them: words of the title, the room, the person, the notes, in
 * any order and without their accents. What is still to come stands first.
 */
import type { Booking, Person, Room } from './shapes.js';

export interface Found {
  readonly booking: Booking;
  readonly roomName: string;
  readonly byName: string;
}

export interface SearchIn {
  readonly bookings: readonly Booking[];
  readonly rooms: readonly Room[];
  readonly people: readonly Person[];
  readonly now: number;
  readonly max: number;
}

export interface SearchResult {
  readonly found: readonly Found[];
  /** Further ones that match. */
  readonly more: number;
}

const plain = (text: string): string =>
  text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();

/** What is to come, soonest first; then what has been, latest first. */
const byNearness = (now: number) => (a: Booking, b: Booking): number => {
  const [aPast, bPast] = [a.end <= now, b.end <= now];
  if (aPast !== bPast) return aPast ? 1 : -1;
  return aPast ? b.start - a.start : a.start - b.start;
};

export function searchBookings(query: string, where: SearchIn): SearchResult {
  const words = plain(query).split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return { found: [], more: 0 };
  const rooms = new Map(where.rooms.map((room) => [room.id, room.name]));
  const people = new Map(where.people.map((person) => [person.id, person.name]));
  const named = (booking: Booking): Found => ({
    booking,
    roomName: rooms.get(booking.room) ?? booking.room,
    byName: people.get(booking.by) ?? booking.by,
  });
  const plainNames = new Map<string, string>();
  const plainName = (name: string): string => {
    const known = plainNames.get(name) ?? plain(name);
    plainNames.set(name, known);
    return known;
  };
  const matching = where.bookings.filter((booking) => {
    const { roomName, byName } = named(booking);
    const names = `${plainName(roomName)}\n${plainName(byName)}`;
    const text = `${plain(booking.title)}\n${plain(booking.notes)}\n${names}`;
    return words.every((word) => text.includes(word));
  });
  const found = matching.sort(byNearness(where.now)).slice(0, where.max).map(named);
  return { found, more: matching.length - found.length };
}
