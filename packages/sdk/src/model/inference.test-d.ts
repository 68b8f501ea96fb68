/**
 * What the compiler must know, and what it must refuse. Checked by tsc -p tsconfig.test.json: a
 * line below `@ts-expect-error` that compiles is an error, too.
 */
import { z } from 'zod';
import { expectTypeOf } from 'vitest';
import { defineApp, mutation, reject, runQuery, table, unchecked } from './index.js';
import type {
  ArgsListOf, ArgsOf, CheckTx, MutationName, ReadTx, RowOf, Tables, Tx,
} from './index.js';

const BookingRow = z.object({
  id: z.string(),
  room: z.string(),
  start: z.date(),
  title: z.string().default('untitled'),
  floor: z.number().optional(),
  tags: z.array(z.string()).optional(),
});
interface Booking {
  readonly id: string;
  readonly room: string;
  readonly start: Date;
  readonly title: string;
  readonly floor?: number | undefined;
  readonly tags?: string[] | undefined;
}
interface Room {
  readonly number: number;
  readonly building: 'north' | 'south';
  readonly seats: number;
}
const BookArgs = z.object({
  id: z.string(),
  room: z.string(),
  start: z.coerce.date<Date | string>(),
  orElse: z.array(z.date()).default([]),
});
interface BookOut {
  id: string;
  room: string;
  start: Date;
  orElse: Date[];
}

/** The form of the README: everything in one literal. */
const app = defineApp({
  name: 'calendar',
  version: 1,
  tables: {
    booking: table({
      schema: BookingRow,
      key: 'id',
      indexes: { bySlot: ['room', 'start'], byFloor: ['floor'] },
    }),
    room: table<Room>()({ key: 'number', indexes: { byPlace: ['building', 'seats'] } }),
    note: table<{ readonly id: bigint; readonly text: string }>()({ key: 'id' }),
    loose: table<Room>({ key: 'number', indexes: { byPlace: ['building', 'seats'] } }),
  },
  mutations: {
    book: mutation({
      args: BookArgs,
      version: 2,
      upgrade: { 1: (args: { name: string }) => ({ id: args.name }) },
      check: (tx, a) => {
        expectTypeOf(a).toEqualTypeOf<BookOut>();
        expectTypeOf(tx.now).toEqualTypeOf<number>();
        expectTypeOf(tx.user).toEqualTypeOf<string | null>();
        expectTypeOf(tx.booking.get(a.id)).toEqualTypeOf<Readonly<Booking> | undefined>();
        // @ts-expect-error reason: a check cannot write.
        tx.booking.put({ id: '', room: '', start: new Date(0) });
        return tx.booking.index('bySlot').get(a.room, a.start).none();
      },
      apply: (tx, a) => {
        expectTypeOf(a).toEqualTypeOf<BookOut>();
        expectTypeOf(tx.id()).toEqualTypeOf<string>();
        // `title` has a default: what `put` takes is what the schema takes.
        tx.booking.put({ id: a.id, room: a.room, start: a.start });
        // @ts-expect-error reason: a row without its room.
        tx.booking.put({ id: a.id, start: a.start });
        // @ts-expect-error reason: a field that the row does not have.
        tx.booking.put({ id: a.id, room: a.room, start: a.start, colour: 'red' });
        // @ts-expect-error reason: a field of another type.
        tx.booking.update(a.id, { room: 7 });
        // @ts-expect-error reason: the key of a row stays.
        tx.booking.update(a.id, { id: 'other' });
        // @ts-expect-error reason: no such table.
        void tx.bookings;
        tx.booking.update(a.id, { floor: undefined });
      },
      alternatives: (a) => a.orElse.map((start) => ({ ...a, start })),
      merge: (_tx, a) => reject('room-full', { room: a.room }),
      server: {
        authorize: (tx, a) => tx.user !== null && a.room !== 'attic',
        check: (tx, a) => tx.room.has(Number(a.room)),
        after: (tx, a) => tx.note.put({ id: 1n, text: a.room }),
      },
    }),
    clear: mutation({
      apply: (tx, a) => {
        expectTypeOf(a).toEqualTypeOf<undefined>();
        for (const row of tx.booking.scan().reverse().limit(3)) tx.booking.delete(row.id);
      },
    }),
    seat: mutation({
      args: unchecked<{ room: number; seats?: number }>(),
      check: (tx, a) => (tx.room.has(a.room) ? true : reject('no-room')),
      apply: (tx, a) => tx.room.update(a.room, { seats: a.seats ?? 1 }),
    }),
  },
});

export const argsOfMutations = (): void => {
  expectTypeOf<MutationName<typeof app>>().toEqualTypeOf<'book' | 'clear' | 'seat'>();
  expectTypeOf<ArgsOf<typeof app, 'book'>>().toEqualTypeOf<{
    id: string;
    room: string;
    start: Date | string;
    orElse?: Date[] | undefined;
  }>();
  expectTypeOf<ArgsOf<typeof app, 'clear'>>().toEqualTypeOf<undefined>();
  expectTypeOf<ArgsListOf<typeof app, 'clear'>>().toEqualTypeOf<[args?: undefined]>();
  expectTypeOf<ArgsListOf<typeof app, 'seat'>>().toEqualTypeOf<
    [args: { room: number; seats?: number }]
  >();
  // @ts-expect-error reason: no such mutation.
  expectTypeOf<ArgsOf<typeof app, 'bookk'>>();
};

export const rowsAndKeys = (tx: Tx<typeof app>): void => {
  expectTypeOf<RowOf<typeof app, 'booking'>>().toEqualTypeOf<Readonly<Booking>>();
  expectTypeOf(tx.room.get(7)).toEqualTypeOf<Readonly<Room> | undefined>();
  expectTypeOf(tx.room.all()).toEqualTypeOf<Readonly<Room>[]>();
  expectTypeOf(tx.note.get(7n)?.text).toEqualTypeOf<string | undefined>();
  // @ts-expect-error reason: rooms are keyed by number.
  tx.room.get('7');
  // @ts-expect-error reason: notes are keyed by bigint.
  tx.note.delete(7);
};

export const indexes = (tx: ReadTx<typeof app>): void => {
  const slots = tx.booking.index('bySlot');
  const [from, to] = [new Date(0), new Date(1)];
  expectTypeOf(slots.between(['blue', from], ['blue', to]).all()).toEqualTypeOf<
    Readonly<Booking>[]
  >();
  expectTypeOf(slots.first()).toEqualTypeOf<Readonly<Booking> | undefined>();
  slots.get('blue').from(['blue', from, 'id-1']).before(['blue']).reverse().limit(1).none();
  // The primary key is the last part, which is where a next page begins.
  slots.from(['blue', from, 'id-1']);
  // A field that rows may lack stands as null.
  tx.booking.index('byFloor').get(null);
  tx.room.index('byPlace').get('north', 12);
  tx.room.scan().between([1], [9]).count();
  // @ts-expect-error reason: no such index.
  tx.booking.index('bySlots');
  // @ts-expect-error reason: notes have no index at all.
  tx.note.index('bySlot');
  // @ts-expect-error reason: the second part is a date.
  slots.between(['blue', 1], ['blue', to]);
  // @ts-expect-error reason: a bound is a list of parts.
  slots.from('blue');
  // @ts-expect-error reason: the first part is a room.
  slots.get(from);
  // @ts-expect-error reason: two fields and the key, no more.
  slots.get('blue', from, 'id-1', 'more');
  // @ts-expect-error reason: rooms never lack a building.
  tx.room.index('byPlace').get(null);
  // @ts-expect-error reason: not one of the buildings.
  tx.room.index('byPlace').get('west');
  // @ts-expect-error reason: queries cannot write.
  tx.booking.delete('id-1');
  // @ts-expect-error reason: queries have no update, so no time of one.
  void tx.now;
  // The short form of table() does not know its indexes.
  tx.loose.index('anything').get(1, 'x');
};

export const queries = (tables: Tables): void => {
  const { result } = runQuery(app, tables, (tx) => tx.booking.index('bySlot').get('blue').all());
  expectTypeOf(result).toEqualTypeOf<Readonly<Booking>[]>();
};

/** Checks and mutations may share functions that take the `tx` of queries. */
const isFree = (tx: ReadTx<typeof tables>, room: number): boolean =>
  tx.room.index('byPlace').get('north').limit(room).none();
const tables = { room: table<Room>()({ key: 'number', indexes: { byPlace: ['building'] } }) };
const seat = mutation<typeof tables>()({
  args: unchecked<number>(),
  check: (tx, a) => isFree(tx, a),
  apply: (tx, a) => tx.room.delete(a),
});
export const ofParts = defineApp({ name: 'parts', version: 1, tables, mutations: { seat } });
expectTypeOf<ArgsOf<typeof ofParts, 'seat'>>().toEqualTypeOf<number>();
export const fits = (write: Tx<typeof tables>, check: CheckTx<typeof tables>): boolean =>
  isFree(write, 1) && isFree(check, 1);

export const refused = (): void => {
  // @ts-expect-error reason: the key is no field of the row.
  table<Room>()({ key: 'id' });
  // @ts-expect-error reason: an index over a field that the row does not have.
  table<Room>()({ key: 'number', indexes: { byFloor: ['floor'] } });
  // @ts-expect-error reason: a list cannot be a key.
  table({ schema: BookingRow, key: 'tags' });
  // @ts-expect-error reason: an index over a list.
  table({ schema: BookingRow, key: 'id', indexes: { byTags: ['tags'] } });
  // @ts-expect-error reason: a mutation is synchronous.
  mutation<typeof tables>()({ apply: async (tx) => tx.room.delete(1) });
  // @ts-expect-error reason: alternatives are arguments.
  mutation<typeof tables>()({ args: BookArgs, apply: () => {}, alternatives: () => [1] });
  // @ts-expect-error reason: a check says yes, no or why not.
  mutation<typeof tables>()({ check: () => 'no', apply: () => {} });
  // @ts-expect-error reason: a mutation does something.
  mutation<typeof tables>()({ check: () => true });
};
