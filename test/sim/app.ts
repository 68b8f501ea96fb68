/**
 * The app that the simulated clients run: small, and chosen to hurt. Bookings conflict and have
 * alternatives, `first-free` reads ranges, counters expose anything that is lost or done twice,
 * `brittle` throws depending on the state.
 */
import { defineApp, mutation, reject, table, unchecked } from '@oxbow/sdk/model';

export interface Booking {
  readonly id: string;
  readonly room: string;
  readonly hour: number;
  readonly title: string;
}
export interface Counter {
  readonly id: string;
  readonly total: number;
}
interface Slot {
  readonly room: string;
  readonly hour: number;
}
export interface Book extends Booking {
  readonly orElse: readonly Slot[];
}

export const HOURS = 6;

export const app = defineApp({
  name: 'simulated',
  version: 1,
  tables: {
    booking: table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'hour'] } }),
    counter: table<Counter>()({ key: 'id' }),
  },
  mutations: {
    book: mutation({
      args: unchecked<Book>(),
      check: (tx, a) => tx.booking.index('bySlot').get(a.room, a.hour).none(),
      apply: (tx, a) => tx.booking.put({ id: a.id, room: a.room, hour: a.hour, title: a.title }),
      alternatives: (a) => a.orElse.map((slot) => ({ ...a, ...slot })),
      merge: (_tx, a) => reject('room-taken', { room: a.room, hour: a.hour }),
    }),
    firstFree: mutation({
      args: unchecked<{ id: string; room: string }>(),
      apply: (tx, a) => {
        let hour = 0;
        for (const taken of tx.booking.index('bySlot').get(a.room)) {
          if (taken.hour > hour) break;
          hour = taken.hour + 1;
        }
        if (hour >= HOURS) return reject('room-full', { room: a.room });
        tx.booking.put({ id: a.id, room: a.room, hour, title: tx.id() });
        return undefined;
      },
    }),
    move: mutation({
      args: unchecked<{ id: string; room: string; hour: number }>(),
      check: (tx, a) =>
        tx.booking.has(a.id) && tx.booking.index('bySlot').get(a.room, a.hour).none(),
      apply: (tx, a) => tx.booking.update(a.id, { room: a.room, hour: a.hour }),
      merge: (tx, a) => {
        if (!tx.booking.has(a.id)) return reject('gone', { id: a.id });
        tx.booking.update(a.id, { title: `wanted ${a.room} at ${a.hour}` });
        return undefined;
      },
    }),
    cancel: mutation({
      args: unchecked<{ id: string }>(),
      apply: (tx, a) => tx.booking.delete(a.id),
    }),
    add: mutation({
      args: unchecked<{ id: string; by: number }>(),
      apply: (tx, a) => {
        const total = tx.counter.get(a.id)?.total ?? 0;
        tx.counter.put({ id: a.id, total: total + a.by });
      },
    }),
    brittle: mutation({
      args: unchecked<{ id: string }>(),
      apply: (tx, a) => {
        tx.counter.put({ id: `${a.id}-seen`, total: tx.random() });
        if ((tx.counter.get(a.id)?.total ?? 0) % 3 === 0) throw new Error('not on a multiple of three');
      },
    }),
  },
});
