/** What runs again, what does not, and who is told: the promises that make a rebase cheap. */
import { expect, test } from 'vitest';
import { defineApp, mutation, table, unchecked } from '../model/index.js';
import { committed, foreign, OneSpace, putBy } from './testing/one-space.js';

interface Item {
  readonly id: string;
  readonly shelf: string;
  readonly rank: number;
}

/** An app that counts how often each update is executed, by the `id` of its arguments. */
function counted() {
  const runs = new Map<string, number>();
  const count = (id: string): void => { runs.set(id, (runs.get(id) ?? 0) + 1); };
  const tables = { item: table<Item>()({ key: 'id', indexes: { byShelf: ['shelf', 'rank'] } }) };
  const declared = mutation<typeof tables>();
  const app = defineApp({
    name: 'counted', version: 1, tables,
    mutations: {
      put: declared({
        args: unchecked<Item>(),
        apply: (tx, a) => {
          count(a.id);
          tx.item.put(a);
        },
      }),
      /** Puts where the shelf is empty. */
      first: declared({
        args: unchecked<Item>(),
        check: (tx, a) => {
          count(a.id);
          return tx.item.index('byShelf').get(a.shelf).none();
        },
        apply: (tx, a) => tx.item.put(a),
      }),
      /** Copies the rank of another item. */
      copy: declared({
        args: unchecked<{ id: string; of: string }>(),
        apply: (tx, a) => {
          count(a.id);
          tx.item.put({ id: a.id, shelf: 'copies', rank: tx.item.get(a.of)?.rank ?? 0 });
        },
      }),
    },
  });
  return { one: new OneSpace(app), runs };
}

const row = (id: string, shelf: string, rank = 0) => ({ id, shelf, rank });

test('a local mutation runs once', () => {
  const { one, runs } = counted();
  one.mutate('put', row('1', 'a'));
  one.mutate('first', row('2', 'b'));
  one.flush();
  expect([...runs]).toEqual([['1', 1], ['2', 1]]);
});

test('a commit that no pending update has read runs none of them again', () => {
  const { one, runs } = counted();
  one.mutate('first', row('1', 'a'));
  one.mutate('copy', { id: '2', of: '1' });
  one.commit(putBy([1, 'r', 1], row('9', 'b')), putBy([2, 'r', 2], row('8', 'c')));
  expect([...runs]).toEqual([['1', 1], ['2', 1]]);
});

test('a commit into a range runs its reader again, and those that read what it changes', () => {
  const { one, runs } = counted();
  one.mutate('first', row('1', 'a', 7));
  one.mutate('copy', { id: '2', of: '1' });
  one.mutate('first', row('3', 'b'));
  one.commit(putBy([1, 'r', 1], row('9', 'a')));
  expect([...runs]).toEqual([['1', 2], ['2', 2], ['3', 1]]);
  expect(one.space.pending().map(({ outcome }) => outcome.kind)).toEqual(['rejected', 'applied', 'applied']);
  expect(one.space.query((tx) => tx.item.get('2')?.rank)).toBe(0);
});

test('a re-run that writes an equal row runs nobody above it', () => {
  const { one, runs } = counted();
  one.mutate('copy', { id: '1', of: 'x' });
  one.mutate('copy', { id: '2', of: '1' });
  one.commit(putBy([1, 'r', 1], row('x', 'a', 0)));
  expect([...runs]).toEqual([['1', 2], ['2', 1]]);
});

test('an update put into the middle runs once, and only its readers above it run again', () => {
  const { one, runs } = counted();
  one.mutate('put', row('1', 'a'));
  one.mutate('copy', { id: '2', of: '9' });
  one.mutate('put', row('3', 'a'));
  // Lamport 1, by a replica that sorts behind ours: above the first, below the second.
  one.space.receiveUpdates([foreign(['r', 1, 1], ['put', row('9', 'b', 5)])]);
  expect(one.space.pending().map(({ own }) => own)).toEqual([true, false, true, true]);
  expect([...runs]).toEqual([['1', 1], ['2', 2], ['3', 1], ['9', 1]]);
  expect(one.space.query((tx) => tx.item.get('2')?.rank)).toBe(5);
});

test('an own commit with the effects that it already had changes nothing and notifies nobody', () => {
  const { one, runs } = counted();
  one.mutate('first', row('1', 'a'));
  one.mutate('copy', { id: '2', of: '1' });
  let queries = 0;
  let told = 0;
  const live = one.space.live((tx) => {
    queries += 1;
    return tx.item.all();
  });
  live.subscribe(() => { told += 1; });
  const before = live.get();
  one.write();
  const [first] = one.ownUpdates();
  if (first === undefined) throw new Error('no update');
  one.commit(committed(1, first, { effects: [{ table: 'item', key: '1', row: row('1', 'a') }] }));
  one.flush();
  expect({ queries, told }).toEqual({ queries: 1, told: 0 });
  expect(live.get()).toBe(before);
  expect([...runs]).toEqual([['1', 1], ['2', 1]]);
  // The committed row is the very object that was shown before.
  expect(one.space.query((tx) => tx.item.get('1'), { view: 'committed' })).toBe(before[0]);
});

test('commits in another order than the tentative one end in what the primary decided', () => {
  const { one } = counted();
  one.mutate('first', row('1', 'a'));
  one.write();
  one.space.receiveUpdates([foreign(['r', 1, 2], ['first', row('2', 'a')])]);
  expect(one.space.pending().map(({ outcome }) => outcome.kind)).toEqual(['applied', 'rejected']);
  const theirs = foreign(['r', 1, 2], ['first', row('2', 'a')]);
  one.commit(committed(1, theirs, { effects: [{ table: 'item', key: '2', row: row('2', 'a') }] }));
  expect(one.space.pending().map(({ outcome }) => outcome.kind)).toEqual(['rejected']);
  expect(one.space.query((tx) => tx.item.all().map(({ id }) => id))).toEqual(['2']);
});

test('a tentative deletion hides a committed row in one view only, and goes with its update', () => {
  const { one } = counted();
  one.commit(putBy([1, 'r', 1], row('1', 'a')));
  one.mutate('put', row('1', 'b'));
  const shelves = (view: 'tentative' | 'committed') =>
    one.space.query((tx) => tx.item.index('byShelf').all().map(({ shelf }) => shelf), { view });
  expect([shelves('committed'), shelves('tentative')]).toEqual([['a'], ['b']]);
  const [mine] = one.ownUpdates();
  if (mine === undefined) throw new Error('no update');
  one.commit(committed(2, mine, { outcome: { kind: 'rejected', code: 'no' } }));
  expect([shelves('committed'), shelves('tentative')]).toEqual([['a'], ['a']]);
});

test('a live query runs again only when what it read has changed', () => {
  const { one } = counted();
  let runs = 0;
  const live = one.space.live((tx) => {
    runs += 1;
    return tx.item.index('byShelf').get('a').all().length;
  });
  expect(live.get()).toBe(0);
  one.mutate('put', row('1', 'b'));
  one.commit(putBy([1, 'r', 1], row('9', 'c')));
  expect([live.get(), runs]).toEqual([0, 1]);
  one.mutate('put', row('2', 'a'));
  expect([live.get(), live.get(), runs]).toEqual([1, 1, 2]);
});

test('a live query that comes to an equal result keeps its reference and tells nobody', () => {
  const { one } = counted();
  let told = 0;
  const live = one.space.live((tx) => tx.item.all().map(({ shelf }) => shelf));
  live.subscribe(() => { told += 1; });
  one.mutate('put', row('1', 'a', 1));
  one.flush();
  const before = live.get();
  one.mutate('put', row('1', 'a', 2));
  one.flush();
  expect(live.get()).toBe(before);
  expect(told).toBe(1);
});

test('listeners are called once per flush, and what they write waits for the next one', () => {
  const { one } = counted();
  let told = 0;
  const live = one.space.live((tx) => tx.item.all().length);
  live.subscribe(() => {
    told += 1;
    if (told === 1) one.mutate('put', row('3', 'a'));
  });
  one.mutate('put', row('1', 'a'));
  one.mutate('put', row('2', 'a'));
  one.flush();
  expect([told, live.get()]).toEqual([1, 3]);
  one.flush();
  expect(told).toBe(2);
});

test('a subscriber that throws is reported and keeps nobody else from being called', () => {
  const { one } = counted();
  let told = 0;
  const live = one.space.live((tx) => tx.item.all().length);
  live.subscribe(() => { throw new Error('mine'); });
  live.subscribe(() => { told += 1; });
  one.mutate('put', row('1', 'a'));
  one.flush();
  expect(told).toBe(1);
  expect(one.errors.map(({ code }) => code)).toEqual(['listener-failed']);
});

test('a query that throws gives its error to whoever looks, and recovers', () => {
  const { one } = counted();
  const live = one.space.live((tx) => {
    if (!tx.item.has('1')) throw new Error('not yet');
    return 'there';
  });
  let told = 0;
  live.subscribe(() => { told += 1; });
  expect(() => live.get()).toThrow('not yet');
  one.mutate('put', row('1', 'a'));
  one.flush();
  expect([live.get(), told]).toEqual(['there', 1]);
  live.close();
  expect(() => live.get()).toThrow(expect.objectContaining({ code: 'live-closed' }));
});

test('a thousand updates of one row rebase on a commit beneath them all', () => {
  const { one } = counted();
  for (let i = 0; i < 1000; i++) one.mutate('copy', { id: `c${i}`, of: i === 0 ? 'x' : `c${i - 1}` });
  one.commit(putBy([1, 'r', 1], row('x', 'a', 3)));
  expect(one.space.query((tx) => tx.item.get('c999')?.rank)).toBe(3);
});
