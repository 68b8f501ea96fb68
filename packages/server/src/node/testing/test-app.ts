/**
 * The app that the server's tests serve: bookings that conflict, counters that tell what happened
 * twice.
 */
import { defineApp, mutation, reject, table, unchecked } from '@oxbow/sdk/model';

export interface Booking {
  readonly id: string;
  readonly room: string;
  readonly hour: number;
}
interface Counter {
  readonly id: string;
  readonly total: number;
}

export const testApp = defineApp({
  name: 'test',
  version: 2,
  tables: {
    booking: table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'hour'] } }),
    counter: table<Counter>()({ key: 'id' }),
    blob: table<{ readonly id: string; readonly text: string }>()({ key: 'id' }),
  },
  mutations: {
    book: mutation({
      args: unchecked<Booking & { readonly orElse?: readonly number[] }>(),
      check: (tx, a) => tx.booking.index('bySlot').get(a.room, a.hour).none(),
      apply: (tx, a) => tx.booking.put({ id: a.id, room: a.room, hour: a.hour }),
      alternatives: (a) => (a.orElse ?? []).map((hour) => ({ ...a, hour })),
      merge: (_tx, a) => reject('room-taken', { room: a.room, hour: a.hour }),
    }),
    add: mutation({
      args: unchecked<{ readonly id: string; readonly by: number }>(),
      apply: (tx, a) => {
        tx.counter.put({ id: a.id, total: (tx.counter.get(a.id)?.total ?? 0) + a.by });
      },
    }),
    /** Writes more than was sent. */
    blow: mutation({
      args: unchecked<{ readonly rows: number; readonly chars: number }>(),
      apply: (tx, a) => {
        for (let i = 0; i < a.rows; i++) tx.blob.put({ id: `${i}`, text: '\u0001'.repeat(a.chars) });
      },
    }),
    throws: mutation({
      args: unchecked<unknown>(),
      apply: () => {
        throw new Error('always');
      },
    }),
  },
});
