import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { defineApp, execute, mutation, parseArgs, reject, table, Tables, unchecked } from './index.js';
import type { Execution, Invocation, MutationOptions } from './index.js';
import { keyText } from './key.js';
import * as modelLimits from './limits.js';
import type { ReplicaId } from '../protocol/index.js';

interface Booking {
  readonly id: string;
  readonly room: string;
  readonly hour: number;
}
const tables = {
  booking: table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'hour'] } }),
  refusal: table<{ readonly id: string; readonly wanted: number }>()({ key: 'id' }),
};
interface Args {
  readonly id: string;
  readonly room: string;
  readonly hour: number;
  readonly orElse?: readonly number[];
}
type Book = MutationOptions<typeof tables, ReturnType<typeof unchecked<Args>>>;

const book: Book = {
  args: unchecked<Args>(),
  check: (tx, a) => tx.booking.index('bySlot').get(a.room, a.hour).none(),
  apply: (tx, { id, room, hour }) => tx.booking.put({ id, room, hour }),
  alternatives: (a) => (a.orElse ?? []).map((hour) => ({ ...a, hour })),
};

const appOf = (options: Book) =>
  defineApp({
    name: 'test', version: 1, tables,
    mutations: { book: mutation<typeof tables, Book['args']>(options) },
  });

// reason: a test passes what the types refuse.
const loosely = (value: unknown): never => value as never;

const ARGS: Args = { id: 'b1', room: 'blue', hour: 9 };
const effectOf = (hour: number, id = 'b1'): unknown => [
  { table: 'booking', key: id, row: { id, room: 'blue', hour } },
];

function base(): Tables {
  const rows = new Tables(appOf(book));
  rows.apply([{ table: 'booking', key: 'old', row: { id: 'old', room: 'blue', hour: 9 } }]);
  return rows;
}

/** Executes on an empty state, or on one where room blue is taken at nine. */
function run(
  options: Book, args: unknown, settings: Partial<Invocation> & { readonly taken?: boolean } = {},
): Execution {
  const app = appOf(options);
  const { taken = false, ...rest } = settings;
  // reason: a test names its own replica.
  const id = { replica: 'r1' as ReplicaId, seq: 1 };
  const update = { id, name: 'book', version: 1, args, at: 1000 };
  const reader = taken ? base() : new Tables(app);
  return execute(app, reader, { update, user: 'ann', side: 'client', dev: true, ...rest });
}

const isFree = { taken: false };
const isTaken = { taken: true };
const onServer = { side: 'server' as const };

describe('an execution', () => {
  it('applies when the check passes', () => {
    expect(run(book, ARGS, isFree)).toMatchObject({
      outcome: { kind: 'applied' }, effects: effectOf(9), opaque: false,
    });
  });

  it('without a check always applies', () => {
    expect(run({ args: unchecked<Args>(), apply: book.apply }, ARGS, isTaken)).toMatchObject({
      outcome: { kind: 'applied' }, reads: { keys: new Map(), ranges: [] },
    });
  });

  it('takes the first alternative that passes the check, counted from 0', () => {
    const args = { ...ARGS, orElse: [9, 10, 11] };
    expect(run(book, args, isTaken)).toMatchObject({
      outcome: { kind: 'alternative', index: 1 }, effects: effectOf(10),
    });
  });

  it('reads what the failed checks read, as another state of it would change the outcome', () => {
    const { reads } = run(book, { ...ARGS, orElse: [10] }, isTaken);
    expect(reads.ranges).toHaveLength(2);
  });

  it('merges when nothing fits', () => {
    const merge: Book['merge'] = (tx, a) => tx.refusal.put({ id: a.id, wanted: a.hour });
    expect(run({ ...book, merge }, { ...ARGS, orElse: [9] }, isTaken)).toMatchObject({
      outcome: { kind: 'merged' },
      effects: [{ table: 'refusal', key: 'b1', row: { id: 'b1', wanted: 9 } }],
    });
  });

  it('is rejected by a merge procedure that says so, with its detail and without its writes', () => {
    const merge: Book['merge'] = (tx, a) => {
      tx.refusal.put({ id: a.id, wanted: a.hour });
      return reject('room-full', { room: a.room, at: new Date(5) });
    };
    const { outcome, effects } = run({ ...book, merge }, ARGS, isTaken);
    expect(outcome).toEqual({
      kind: 'rejected', code: 'room-full', detail: { room: 'blue', at: new Date(5) },
    });
    expect(effects).toEqual([]);
  });

  it('is rejected when nothing fits and nothing merges', () => {
    expect(run(book, ARGS, isTaken).outcome).toEqual({ kind: 'rejected', code: 'check-failed' });
  });

  it('is rejected with the reason that the check gave for what was asked', () => {
    const check: Book['check'] = (tx, a) =>
      tx.booking.index('bySlot').get(a.room, a.hour).none() || reject('taken', a.hour);
    const first = run({ ...book, check }, { ...ARGS, orElse: [9] }, isTaken).outcome;
    expect(first).toEqual({ kind: 'rejected', code: 'taken', detail: 9 });
    const other = run({ ...book, check }, { ...ARGS, orElse: [10] }, isTaken).outcome;
    expect(other).toEqual({ kind: 'alternative', index: 0 });
  });

  it('is rejected by an apply that says so, without its writes', () => {
    const apply: Book['apply'] = (tx, a) => {
      book.apply(tx, a);
      return reject('never');
    };
    expect(run({ ...book, apply }, ARGS)).toMatchObject({
      outcome: { kind: 'rejected', code: 'never' }, effects: [],
    });
  });

  it('that throws is rejected without its writes, and keeps what it read', () => {
    const apply: Book['apply'] = (tx, a) => {
      tx.booking.get('old');
      book.apply(tx, a);
      throw new RangeError('no way');
    };
    const { outcome, effects, reads } = run({ ...book, apply }, ARGS);
    expect(outcome).toEqual({
      kind: 'rejected', code: 'mutation-failed', detail: { message: 'no way' },
    });
    expect(effects).toEqual([]);
    expect(reads.keys.get('booking')).toEqual(new Set([keyText('old')]));
    expect(reads.ranges).toHaveLength(1);
  });

  const failing: [string, Partial<Book>, unknown][] = [
    ['throws something that is no error', { apply: () => { throw 'text'; } }, { message: 'text' }],
    ['updates a row that is not there', { apply: (tx) => tx.booking.update('none', {}) }, { code: 'row-missing' }],
    ['writes in its check', { check: loosely((tx: { booking: { put(row: unknown): unknown } }) => tx.booking.put(ARGS)) }, { code: 'tx-read-only' }],
    ['writes a row that cannot travel', { apply: (tx) => tx.booking.put(loosely({ ...ARGS, room: Symbol('s') })) }, { code: 'bad-value' }],
    ['changes its arguments in development', { apply: (_tx, a) => void Object.assign(a, { hour: 1 }) }, {}],
    ['returns a promise', { apply: loosely(() => Promise.resolve()) }, { code: 'bad-mutation' }],
    ['checks by a promise', { check: loosely(() => Promise.resolve(true)) }, { code: 'bad-mutation' }],
    ['checks without an answer', { check: loosely(() => undefined) }, { code: 'bad-mutation' }],
    ['rejects with what cannot travel', { apply: () => reject('no', () => 1) }, { code: 'bad-value' }],
    ['rejects without a code', { apply: () => reject('') }, { code: 'bad-rejection' }],
  ];
  it.each(failing)('that %s is rejected as failed', (_name, options, detail) => {
    expect(run({ ...book, ...options }, ARGS)).toMatchObject({
      outcome: { kind: 'rejected', code: 'mutation-failed', detail }, effects: [],
    });
  });

  it('that offers no list of alternatives is rejected as failed', () => {
    expect(run({ ...book, alternatives: loosely(() => 7) }, ARGS, isTaken).outcome).toMatchObject({
      code: 'mutation-failed', detail: { code: 'bad-mutation' },
    });
  });

  it('gives alternatives the same ids as what was asked', () => {
    const apply: Book['apply'] = (tx, a) => tx.booking.put({ id: tx.id(), room: a.room, hour: a.hour });
    const asked = run({ ...book, apply }, ARGS).effects[0]?.key;
    const got = run({ ...book, apply }, { ...ARGS, orElse: [9, 10] }, isTaken).effects[0]?.key;
    expect(got).toBe(asked);
  });
});

describe('bounds of an execution', () => {
  it('reject it, even if it swallows the error', () => {
    const apply: Book['apply'] = (tx, a) => {
      book.apply(tx, a);
      try {
        for (let i = 0; i <= modelLimits.writesMax; i++) tx.booking.delete(`${i}`);
      } catch {
        return;
      }
    };
    expect(run({ ...book, apply }, ARGS)).toMatchObject({
      outcome: { kind: 'rejected', code: 'limit-exceeded' }, effects: [],
    });
  });

  it('reject too many alternatives', () => {
    const alternatives = (a: Args): Args[] =>
      Array.from({ length: modelLimits.alternativesMax + 1 }, () => a);
    expect(run({ ...book, alternatives }, ARGS, isTaken).outcome).toMatchObject({
      code: 'limit-exceeded',
    });
  });

  it('cut the message of what was thrown', () => {
    const apply: Book['apply'] = () => {
      throw new Error('x'.repeat(10_000));
    };
    expect(run({ ...book, apply }, ARGS).outcome).toMatchObject({
      detail: { message: 'x'.repeat(modelLimits.messageCharsMax) },
    });
  });
});

describe('the server', () => {
  const server: Book['server'] = {
    authorize: (tx, a) => tx.user === 'ann' && a.hour < 20,
    check: (tx, a) => !tx.booking.has(a.id),
    after: (tx, a) => tx.refusal.put({ id: `after-${a.id}`, wanted: a.hour }),
  };
  const ruled: Book = { ...book, server };

  it('runs its own rules, which the client leaves alone', () => {
    expect(run(ruled, ARGS, onServer).effects).toHaveLength(2);
    expect(run(ruled, ARGS).effects).toHaveLength(1);
    expect(run(ruled, { ...ARGS, hour: 21 }).outcome.kind).toBe('applied');
  });

  it('refuses who may not', () => {
    const outcome = { kind: 'rejected', code: 'forbidden' };
    expect(run(ruled, ARGS, { ...onServer, user: 'eve' })).toMatchObject({ outcome, effects: [] });
    expect(run(ruled, { ...ARGS, hour: 20 }, onServer).outcome).toEqual(outcome);
    const authorize = (): ReturnType<typeof reject> => reject('not-a-member');
    expect(run({ ...book, server: { authorize } }, ARGS, onServer).outcome).toMatchObject({
      code: 'not-a-member',
    });
  });

  it('passes over an alternative that the author may not have', () => {
    const args = { ...ARGS, orElse: [22, 10] };
    expect(run(ruled, args, { ...onServer, ...isTaken })).toMatchObject({
      outcome: { kind: 'alternative', index: 1 },
    });
  });

  it('checks on top of the check that all run', () => {
    expect(run(ruled, { ...ARGS, id: 'old', hour: 10 }, { ...onServer, ...isTaken }).outcome).toEqual({
      kind: 'rejected', code: 'check-failed',
    });
  });

  it('has the last word, on what was written', () => {
    const after = (): ReturnType<typeof reject> => reject('quota');
    expect(run({ ...book, server: { after } }, ARGS, onServer)).toMatchObject({
      outcome: { kind: 'rejected', code: 'quota' }, effects: [],
    });
    const merge: Book['merge'] = () => undefined;
    expect(run({ ...ruled, merge }, ARGS, { ...onServer, ...isTaken })).toMatchObject({
      outcome: { kind: 'merged' }, effects: [{ table: 'refusal', key: 'after-b1' }],
    });
  });
});

describe('arguments', () => {
  const Checked = z.object({ id: z.string().max(3), hour: z.coerce.number() });
  const app = defineApp({
    name: 'test', version: 1, tables,
    mutations: {
      book: mutation({
        args: Checked,
        version: 3,
        upgrade: {
          1: (args: { name: string }) => ({ id: args.name }),
          2: (args: { id: string }) => ({ ...args, hour: 7 }),
        },
        apply: (tx, a) => tx.booking.put({ id: a.id, room: 'blue', hour: a.hour }),
      }),
      late: mutation({ version: 3, upgrade: { 2: () => undefined }, apply: () => undefined }),
      slow: mutation({
        args: z.string().refine(() => Promise.resolve(true)),
        apply: () => undefined,
      }),
    },
  });

  it('reach the mutation as the schema gives them', () => {
    expect(parseArgs(app, 'book', 3, { id: 'a', hour: '8' })).toMatchObject({
      kind: 'ready', args: { id: 'a', hour: 8 },
    });
  });

  it('of older versions are lifted, one version after the other', () => {
    expect(parseArgs(app, 'book', 1, { name: 'a' })).toMatchObject({ args: { id: 'a', hour: 7 } });
    expect(parseArgs(app, 'book', 2, { id: 'a' })).toMatchObject({ args: { id: 'a', hour: 7 } });
  });

  it('that are invalid, outdated or cannot be checked at once say so', () => {
    expect(parseArgs(app, 'book', 3, { id: 'long', hour: 1 })).toMatchObject({
      kind: 'invalid', code: 'args-invalid', issues: [{ path: 'id' }],
    });
    expect(parseArgs(app, 'book', 1, null)).toMatchObject({ kind: 'invalid', code: 'args-invalid' });
    expect(parseArgs(app, 'late', 1, undefined)).toMatchObject({ code: 'mutation-outdated' });
    expect(parseArgs(app, 'slow', 1, 'x')).toMatchObject({ code: 'schema-async' });
  });

  it('of mutations that are unknown, or newer than known, are left alone', () => {
    expect(parseArgs(app, 'gone', 1, {})).toEqual({ kind: 'unknown' });
    expect(parseArgs(app, 'book', 4, {})).toEqual({ kind: 'unknown' });
    expect(parseArgs(app, 'toString', 1, {})).toEqual({ kind: 'unknown' });
  });

  // reason: a test names its own replica.
  const id = { replica: 'r1' as ReplicaId, seq: 1 };
  const runNamed = (name: string, version: number, args: unknown, side: 'client' | 'server'): Execution =>
    execute(app, new Tables(app), {
      update: { id, name, version, args, at: 0 }, user: null, side, dev: false,
    });

  it('that are invalid reject the update', () => {
    expect(runNamed('book', 3, { id: 5 }, 'client')).toMatchObject({
      outcome: { kind: 'rejected', code: 'args-invalid' }, effects: [], opaque: false,
    });
    expect(runNamed('slow', 1, 'x', 'server').outcome).toMatchObject({ code: 'schema-async' });
    expect(runNamed('late', 1, 'x', 'server').outcome).toMatchObject({ code: 'mutation-outdated' });
  });

  it('of an unknown mutation make it opaque at a client and rejected at the server', () => {
    expect(runNamed('gone', 1, {}, 'client')).toMatchObject({ opaque: true, effects: [] });
    expect(runNamed('gone', 1, {}, 'server')).toMatchObject({
      opaque: false, outcome: { kind: 'rejected', code: 'mutation-unknown', detail: { name: 'gone' } },
    });
  });

  it('that were parsed before are not parsed again', () => {
    const parsed = parseArgs(app, 'book', 3, { id: 'b', hour: 2 });
    const update = { id, name: 'book', version: 3, args: { id: 'other' }, at: 0 };
    const reader = new Tables(app);
    expect(execute(app, reader, { update, user: null, side: 'client', dev: false, parsed })).toMatchObject({
      effects: [{ row: { id: 'b', room: 'blue', hour: 2 } }],
    });
  });
});

describe('rows', () => {
  const Row = z.object({ id: z.string(), room: z.string().default('blue'), hour: z.number() });
  const app = defineApp({
    name: 'test', version: 1,
    tables: { booking: table({ schema: Row, key: 'id' }) },
    mutations: {
      put: mutation({ args: unchecked<unknown>(), apply: (tx, a) => tx.booking.put(loosely(a)) }),
      move: mutation({ args: unchecked<number>(), apply: (tx, a) => tx.booking.update('a', { hour: a }) }),
    },
  });
  const rows = new Tables(app);
  const runHere = (name: string, args: unknown): Execution =>
    execute(app, rows, {
      // reason: a test names its own replica.
      update: { id: { replica: 'r1' as ReplicaId, seq: 1 }, name, version: 1, args, at: 0 },
      user: null, side: 'client', dev: false,
    });

  it('are written as the table schema gives them', () => {
    const { effects } = runHere('put', { id: 'a', hour: 1 });
    expect(effects).toEqual([
      { table: 'booking', key: 'a', row: { id: 'a', room: 'blue', hour: 1 } },
    ]);
    rows.apply(effects);
    expect(runHere('move', 2).effects).toMatchObject([{ row: { id: 'a', room: 'blue', hour: 2 } }]);
  });

  it('that do not fit the table schema fail the mutation', () => {
    const detail = { code: 'bad-row' };
    expect(runHere('put', { id: 'a', hour: 'x' }).outcome).toMatchObject({ detail });
    const outcome = { kind: 'rejected', code: 'mutation-failed', detail };
    expect(runHere('move', NaN)).toMatchObject({ outcome, effects: [] });
  });
});
