/** The public types as an app meets them. Checked by tsc -p tsconfig.test.json. */
import { expectTypeOf } from 'vitest';
import {
  defineApp, memory, mutation, openReplica, server, table, unchecked,
  type FinalOutcome, type Receipt, type Space,
} from './index.js';

interface Booking {
  readonly id: string;
  readonly room: string;
  readonly hour: number;
}

const app = defineApp({
  name: 'rooms',
  version: 1,
  tables: { booking: table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'hour'] } }) },
  mutations: {
    book: mutation({ args: unchecked<Booking>(), apply: (tx, a) => tx.booking.put(a) }),
    clear: mutation({ apply: (tx) => { for (const { id } of tx.booking.all()) tx.booking.delete(id); } }),
  },
});

export async function typesOf(): Promise<void> {
  const replica = await openReplica({ app, storage: memory(), sync: [server('ws://x', { token: () => 't' })] });
  const team = await replica.open('team-42');
  expectTypeOf(team).toEqualTypeOf<Space<typeof app>>();
  expectTypeOf(team.mutate.book({ id: 'b', room: 'blue', hour: 9 })).toEqualTypeOf<Receipt>();
  expectTypeOf(team.mutate.clear()).toEqualTypeOf<Receipt>();
  expectTypeOf(team.mutate.clear().until('committed')).toEqualTypeOf<Promise<FinalOutcome>>();
  const rows = team.query((tx) => tx.booking.index('bySlot').between(['blue', 1], ['blue', 9]).all());
  expectTypeOf(rows).toEqualTypeOf<Readonly<Booking>[]>();
  expectTypeOf(team.live((tx) => tx.booking.all().length).get()).toEqualTypeOf<number>();

  // @ts-expect-error a mutation that the app does not have
  team.mutate.unbook({ id: 'b' });
  // @ts-expect-error arguments that do not fit
  team.mutate.book({ id: 'b', room: 'blue', hour: 'nine' });
  // @ts-expect-error an index that the table does not have
  team.query((tx) => tx.booking.index('byHour').all());
  // @ts-expect-error a query does not write
  team.query((tx) => tx.booking.put({ id: 'b', room: 'blue', hour: 9 }));
  // @ts-expect-error a view that there is none of
  team.query((tx) => tx.booking.all(), { view: 'final' });
  // @ts-expect-error a stage that there is none of
  void team.mutate.clear().until('done');
}
