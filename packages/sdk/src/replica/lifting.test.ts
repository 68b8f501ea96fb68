import { expect, test } from 'vitest';
import { defineApp, formEffect, mutation, table, unchecked } from '../model/index.js';
import type { Form } from '../model/index.js';
import type { BaseSnapshot, Effect, ReceivedBase } from '../protocol/index.js';
import { committed, foreign, OneSpace, putBy } from './testing/one-space.js';

/** The shelves of the other tests: version 2 calls `rank` `place`, and says of each row so. */
interface Item {
  readonly id: string;
  readonly shelf: string;
  readonly rank?: number;
  readonly place?: number;
  readonly lifts?: number;
}

const appOf = (version: number) => defineApp({
  name: 'shelves', version,
  tables: {
    item: table<Item>()({
      key: 'id', indexes: { byShelf: ['shelf'] },
      ...(version > 1 && {
        migrate: {
          2: ({ rank, ...row }: Item) => {
            if (row.id === 'odd') throw new Error('cannot');
            return { ...row, place: rank, lifts: (row.lifts ?? 0) + 1 };
          },
        },
      }),
    }),
  },
  mutations: {
    put: mutation({
      args: unchecked<Item>(),
      version,
      ...(version > 1 && { upgrade: { 1: liftArgs } }),
      apply: (tx, a) => tx.item.put(a),
      inverse: (a) => ({ name: 'put', args: { ...a, shelf: 'back' } }),
    }),
    move: mutation({
      args: unchecked<{ id: string; by: number }>(),
      check: (tx, a) => tx.item.get(a.id)?.place !== undefined,
      apply: (tx, a) =>
        tx.item.update(a.id, { place: (tx.item.get(a.id)?.place ?? 0) + a.by }),
    }),
  },
});

/** In place, as careless people write it. */
function liftArgs(args: unknown): unknown {
  // reason: version 1 of `put` took this.
  const item = args as Record<string, unknown>;
  item.place = item.rank;
  item.lifts = 1;
  delete item.rank;
  return item;
}

const old = appOf(1);
const app = appOf(2);
const item = (id: string, rank: number): Item & { readonly rank: number } =>
  ({ id, shelf: 'a', rank });
const lifted = (id: string, place: number) => ({ id, shelf: 'a', place, lifts: 1 });

/** The same disk, opened by another version of the app. */
function openedBy(one: OneSpace<typeof old>, version: typeof old): OneSpace<typeof old> {
  one.write();
  const other = new OneSpace(version, one.space.replica);
  Object.assign(other, { stored: one.stored });
  other.restart();
  return other;
}

/** Two rows of version 1, committed. */
function shelf(): OneSpace<typeof old> {
  const one = new OneSpace(old);
  one.commit(putBy([1, 'r', 1], item('1', 10)), putBy([2, 'r', 2], item('2', 20)));
  return one;
}

const rows = (one: OneSpace<typeof old>) => one.space.query((tx) => tx.item.all());
const committedRows = (one: OneSpace<typeof old>) =>
  one.space.query((tx) => tx.item.all(), { view: 'committed' });

/** The primary's commit that lifts rows. */
function lift(csn: number, part: number, form: Form, effects: readonly Effect[]) {
  const update = foreign(['lifter', part, 100 + part], ['.lift', { part }], csn - 1);
  return committed(csn, update, { effects: [...effects, formEffect(form)] });
}
const put = (row: Item): Effect => ({ table: 'item', key: row.id, row: { ...row } });

function received(one: OneSpace<typeof old>): ReceivedBase {
  const { pages, ...head }: BaseSnapshot = one.space.snapshot();
  const all = [];
  const next = pages();
  for (let page = next.next(); page.done !== true; page = next.next()) all.push(page.value);
  return { ...head, pages: all };
}

/** The primary's word on the first own update that waits: what it did here. */
function settleOwn(one: OneSpace<typeof old>): void {
  const [first] = one.space.pending();
  const update = one.ownUpdates().find(({ id }) => id.seq === first?.id.seq);
  if (first === undefined || update === undefined) throw new Error('nothing waits');
  one.commit(committed(one.space.head.csn + 1, update, { effects: first.effects }));
}

test('rows and pending updates of version 1 are what version 2 makes of them', () => {
  const one = shelf();
  one.mutate('put', item('3', 30));
  const two = openedBy(one, app);
  expect(rows(two)).toEqual([lifted('1', 10), lifted('2', 20), lifted('3', 30)]);
  two.mutate('move', { id: '1', by: 5 });
  expect(rows(two)[0]).toEqual({ ...lifted('1', 10), place: 15 });
  expect(two.ownUpdates().map(({ version, args, app: by }) => [version, args, by])).toEqual([
    // As it was written: whoever executes it lifts it.
    [1, item('3', 30), undefined], [1, { id: '1', by: 5 }, 2],
  ]);
});

test('commits of version 1 that come in are lifted, those that lift rows are taken as they are', () => {
  const two = openedBy(shelf(), app);
  two.commit(putBy([3, 'r', 3], item('3', 30)));
  expect(rows(two)).toEqual([lifted('1', 10), lifted('2', 20), lifted('3', 30)]);
  two.commit(lift(4, 1, { version: 2, from: 1, until: ['item', '1'] }, [put(lifted('1', 10))]));
  two.commit(lift(5, 2, { version: 2 }, [put(lifted('2', 20)), put(lifted('3', 30))]));
  const row = { ...lifted('4', 40), lifts: 7 };
  two.commit(committed(6, foreign(['r', 4, 200], ['put', row], 5), { effects: [put(row)] }));
  const all = [lifted('1', 10), lifted('2', 20), lifted('3', 30), row];
  expect(committedRows(two)).toEqual(all);
  expect(rows(openedBy(two, app))).toEqual(all);
});

test('opened half-way through the primary\'s lifting, each row is lifted once', () => {
  for (const version of [old, app]) {
    const one = openedBy(shelf(), version);
    one.commit(lift(3, 1, { version: 2, from: 1, until: ['item', '1'] }, [put(lifted('1', 10))]));
    expect(rows(openedBy(one, app))).toEqual([lifted('1', 10), lifted('2', 20)]);
  }
});

test('what is kept and passed on is what was given, so version 1 finds it as it was', () => {
  const two = openedBy(shelf(), app);
  two.commit(putBy([3, 'r', 3], item('3', 30)));
  const all = [item('1', 10), item('2', 20), item('3', 30)];
  const other = new OneSpace(old, 'other');
  other.space.receiveBase(received(two));
  expect(rows(other)).toEqual(all);
  expect(two.space.entriesAfter(2, 9)).toMatchObject([{ effects: [put(item('3', 30))] }]);
  expect(rows(openedBy(two, old))).toEqual(all);
});

test('a base is lifted by the form that it says it is of', () => {
  const one = new OneSpace(app, 'other');
  one.space.receiveBase(received(shelf()));
  expect(rows(one)).toEqual([lifted('1', 10), lifted('2', 20)]);
  const two = new OneSpace(app, 'third');
  const source = shelf();
  source.commit(lift(3, 1, { version: 2 }, [put(lifted('1', 10)), put(lifted('2', 20))]));
  two.space.receiveBase(received(source));
  expect(rows(two)).toEqual([lifted('1', 10), lifted('2', 20)]);
  expect(received(two).pages).toEqual(received(source).pages);
});

test('rows that equal lifted ones are kept as they come once the primary has lifted', () => {
  const two = openedBy(shelf(), app);
  two.commit(lift(3, 1, { version: 2 }, [put(lifted('1', 10)), put(lifted('2', 20))]));
  const base = received(two);
  const third = new OneSpace(app, 'third');
  third.space.receiveBase(base);
  expect(rows(third)).toEqual([lifted('1', 10), lifted('2', 20)]);
});

test('version 1 shows rows of version 2 as they are, says so once, and writes on', () => {
  const one = shelf();
  one.commit(lift(3, 1, { version: 2 }, [put(lifted('1', 10)), put(lifted('2', 20))]));
  one.commit(lift(4, 2, { version: 2 }, []));
  expect(rows(one)).toEqual([lifted('1', 10), lifted('2', 20)]);
  expect(one.errors.map(({ code }) => code)).toEqual(['app-outdated']);
  one.mutate('put', item('3', 30));
  expect(rows(openedBy(one, app))).toEqual([lifted('1', 10), lifted('2', 20), lifted('3', 30)]);
});

test('a row that cannot be lifted stays as it was and is reported', () => {
  const one = shelf();
  one.commit(putBy([3, 'r', 3], item('odd', 1)));
  const two = openedBy(one, app);
  expect(rows(two)).toEqual([lifted('1', 10), lifted('2', 20), item('odd', 1)]);
  expect(two.errors.map(({ code }) => code)).toEqual(['bad-migration']);
});

test('what version 1 did is taken back by version 2 in its own words; the reverse waits for version 2', () => {
  const one = new OneSpace(old);
  const first = one.mutate('put', item('1', 10));
  settleOwn(one);
  let two = openedBy(one, app);
  two.space.undo(first.id, 7000);
  expect(rows(two)).toEqual([{ ...lifted('1', 10), shelf: 'back' }]);
  settleOwn(two);
  const second = two.mutate('put', lifted('2', 20));
  settleOwn(two);
  const back = openedBy(two, old);
  expect(() => back.space.undo(second.id, 7000)).toThrow(expect.objectContaining({ code: 'mutation-unknown' }));
  two = openedBy(back, app);
  two.space.undo(second.id, 7000);
  expect(rows(two).at(-1)).toEqual({ ...lifted('2', 20), shelf: 'back' });
});

test('an update that only version 2 knows waits in version 1, and is passed on', () => {
  const two = new OneSpace(app);
  two.mutate('put', lifted('1', 10));
  const one = openedBy(two, old);
  expect(one.space.pending()).toMatchObject([{ name: 'put', opaque: true }]);
  expect(one.space.tentativeAfter(0, 9).updates).toEqual(two.ownUpdates());
  expect(rows(openedBy(one, app))).toEqual([lifted('1', 10)]);
});

test('what version 2 asked for is not asked again by version 1, which would misread it', () => {
  const two = new OneSpace(app);
  const { id } = two.mutate('put', lifted('1', 10));
  two.write();
  const outcome = { kind: 'rejected', code: 'full' } as const;
  for (const update of two.ownUpdates()) two.commit(committed(1, update, { outcome }));
  const one = openedBy(two, old);
  expect(() => one.space.retry(id, undefined, 5000))
    .toThrow(expect.objectContaining({ code: 'mutation-unknown' }));
  expect(one.space.conflicts()).toHaveLength(1);
  openedBy(one, app).space.retry(id, undefined, 5000);
});

test('the app says what is wrong with its steps', () => {
  const bad = (migrate: Record<number, unknown>) => () => defineApp({
    name: 'x', version: 2, mutations: {},
    // reason: what TypeScript would not take, JavaScript may.
    tables: { t: table<Item>()({ key: 'id', migrate: migrate as Record<number, () => unknown> }) },
  });
  expect(bad({ 3: () => ({}) })).toThrow(/migrates to version 3/);
  expect(bad({ 1: () => ({}) })).toThrow(/migrates to version 1/);
  expect(bad({ 2: 7 })).toThrow(/no function/);
});


test('a lying peer that deletes or garbles the form changes nothing of what is shown', () => {
  const one = new OneSpace(app);
  one.commit(putBy([1, 'r', 1], item('a', 1)));
  const shown = one.space.query((tx) => tx.item.all());
  const { table, key } = formEffect({ version: 1 });
  for (const [csn, garbled] of [[2, null], [3, { version: 'x' }]] as const) {
    const entry = putBy([csn, 'r', csn], item('a', 1));
    one.commit({ ...entry, effects: [{ table, key, row: garbled }] });
  }
  expect(one.space.query((tx) => tx.item.all())).toEqual(shown);
  expect(one.errors).toEqual([]);
});
