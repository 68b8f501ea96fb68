/**
 * The app that the simulated clients run: small, and chosen to hurt. Bookings conflict and have
 * alternatives, `first-free` reads ranges, counters expose anything that is lost or done twice,
 * `brittle` throws depending on the state. Pins stand on bookings, each kind with another policy,
 * and say so in the row. Version 2 marks each counter once, and calls the `by` of `add` `amount`.
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
  /** How often it was lifted to version 2: once. */
  readonly lifts?: number;
}
export interface Pin {
  readonly id: string;
  readonly booking: string;
  readonly isThere: boolean;
}
interface Add {
  readonly id: string;
  readonly by?: number;
  readonly amount?: number;
  readonly wish?: string;
}
interface Slot {
  readonly room: string;
  readonly hour: number;
}
export interface Book extends Booking {
  readonly orElse: readonly Slot[];
}

export const HOURS = 6;

/** Whoever takes back or lifts says another wish than what was asked for. */
const again = (wish: unknown): string => `${String(wish)}-undo`;

const wishOf = (args: unknown): unknown =>
  // reason: the workload gives every mutation a wish (workload.ts).
  (args as { readonly wish?: unknown }).wish;

interface PinArgs {
  readonly id: string;
  readonly booking: string;
}
interface PinTx {
  readonly booking: { has(key: string): boolean };
  readonly pin: { put(row: Pin): void };
}

function pin(tx: PinTx, { id, booking }: PinArgs): void {
  tx.pin.put({ id, booking, isThere: tx.booking.has(booking) });
}

function makeApp(version: 1 | 2) {
  const fresh = version === 1 ? {} : { lifts: 1 };
  /** In version 2 nobody knows `by`. */
  const amountOf = ({ by, amount }: Add): number => (version === 1 ? by : amount) ?? NaN;
  return defineApp({
    name: 'simulated',
    version,
    tables: {
      booking: table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'hour'] } }),
      counter: table<Counter>()({
        key: 'id',
        migrate: version === 1 ? {} : {
          2: (row: Counter) => ({ ...row, lifts: (row.lifts ?? 0) + 1 }),
        },
      }),
      pin: table<Pin>()({ key: 'id' }),
    },
    mutations: {
      book: mutation({
        args: unchecked<Book>(),
        check: (tx, a) => tx.booking.index('bySlot').get(a.room, a.hour).none(),
        apply: (tx, a) => tx.booking.put({ id: a.id, room: a.room, hour: a.hour, title: a.title }),
        alternatives: (a) => a.orElse.map((slot) => ({ ...a, ...slot })),
        merge: (_tx, a) => reject('room-taken', { room: a.room, hour: a.hour }),
        inverse: (a) => ({ name: 'cancel', args: { id: a.id, wish: again(wishOf(a)) } }),
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
        inverse: (a, { before }) => {
          const row = before.booking.get(a.id);
          return row && { name: 'book', args: { ...row, orElse: [], wish: again(wishOf(a)) } };
        },
      }),
      add: mutation({
        args: unchecked<Add>(),
        version,
        upgrade: version === 1 ? {} : {
          1: ({ by, ...args }: Add) => ({ ...args, amount: by }),
        },
        apply: (tx, a) => {
          const { total = 0, ...row } = tx.counter.get(a.id) ?? {};
          tx.counter.put({ ...row, ...fresh, id: a.id, total: total + amountOf(a) });
        },
        inverse: (a) => ({
          name: 'add',
          args: { id: a.id, [version === 1 ? 'by' : 'amount']: -amountOf(a), wish: again(a.wish) },
        }),
      }),
      pin: mutation({ args: unchecked<PinArgs>(), apply: pin, ifNeededIsRefused: 'reject' }),
      pinOrAsk: mutation({ args: unchecked<PinArgs>(), apply: pin, ifNeededIsRefused: 'review' }),
      pinAnyhow: mutation({ args: unchecked<PinArgs>(), apply: pin }),
      brittle: mutation({
        args: unchecked<{ id: string }>(),
        apply: (tx, a) => {
          tx.counter.put({ ...fresh, id: `${a.id}-seen`, total: tx.random() });
          if ((tx.counter.get(a.id)?.total ?? 0) % 3 === 0) throw new Error('not on a multiple of three');
        },
      }),
    },
  });
}

export const app = makeApp(1);

/** By version. */
export const apps = { 1: app, 2: makeApp(2) } as const;
export type Version = keyof typeof apps;
