/** The calendar's queries. */
import type { Conflict, ReadTx, Space } from '@oxbow/sdk';
import type { calendar } from '../app.js';
import { LENGTH_MAX_MS, type Booking, type Person, type Room } from '../shapes.js';
import type { Clock } from '../time/clock.js';
import type { Names } from '../view/notices.js';

export type Calendar = typeof calendar;
export type Team = Space<Calendar>;
type Tx = ReadTx<Calendar>;

/** Bookings that take place within [from, to), those included that began before. */
export const bookingsWithin = (tx: Tx, from: number, to: number): readonly Booking[] =>
  tx.booking
    .index('byStart')
    .between([from - LENGTH_MAX_MS], [to])
    .all()
    .filter((booking) => booking.end > from);

const byName = (a: Room, b: Room): number => a.name.localeCompare(b.name);

export const allRooms = (tx: Tx): readonly Room[] => tx.room.all().toSorted(byName);
export const allPeople = (tx: Tx): readonly Person[] => tx.person.all();

export function namesOf(team: Team, clock: Clock): Names {
  return team.query((tx) => {
    const people = new Map(tx.person.all().map((p) => [p.id, p.name]));
    return {
      clock,
      rooms: tx.room.all(),
      personName: (id: string) => people.get(id) ?? id,
      bookingTitle: (id: string) => team.query((now) => now.booking.get(id)?.title),
    };
  });
}

export const noticeId = ({ id }: Conflict): string => `${id.replica}/${id.seq}`;
