/** Rows as of an earlier csn, compared with what the committed view had shown then. */
import { expect, test } from 'vitest';
import type { Effect, Row } from '../protocol/index.js';
import { seededRandom } from '../replica/backoff.js';
import { committed, foreign, OneSpace } from '../replica/testing/one-space.js';
import { shelfApp } from '../replica/testing/shelf-app.js';
import { entriesOf, reach, rowsAt } from './travel.js';

type Shown = Record<string, Row>;

/** Commits of random puts and deletes of few rows, and the committed view after each. */
function randomHistory(seed: number, entries: number) {
  const one = new OneSpace(shelfApp);
  const random = seededRandom(seed);
  const shown: Shown[] = [{}];
  for (let csn = 1; csn <= entries; csn++) {
    const ids = [...new Set([0, 1].map(() => `i${Math.floor(random() * 5)}`))];
    const effects = ids.map((key): Effect =>
      ({ table: 'item', key, row: random() < 0.3 ? null : { id: key, shelf: 'a', rank: csn } }));
    one.commit(committed(csn, foreign(['bob', csn, csn], ['put', {}]), { effects }));
    shown.push(one.space.query((tx) => Object.fromEntries(tx.item.all().map((row) => [row.id, { ...row }]))));
  }
  return { one, shown };
}

function at(one: OneSpace<typeof shelfApp>, csn: number): { rows: Shown; unknown: string[] } {
  const found = rowsAt(one.space.insides.state, csn).rows;
  const rows: Shown = {};
  const unknown: string[] = [];
  for (const { key, then } of found) {
    if (!then.isKnown) unknown.push(key);
    else if (then.row !== undefined) rows[key] = then.row;
  }
  return { rows, unknown };
}

test.each([1, 2, 3, 4, 5])('the rows as of each csn are those that were shown then (seed %i)', (seed) => {
  const { one, shown } = randomHistory(seed, 40);
  expect(reach(one.space.insides.state)).toEqual({ from: 0, to: 40 });
  for (let csn = 0; csn <= 40; csn++) expect(at(one, csn)).toEqual({ rows: shown[csn], unknown: [] });
});

test.each([1, 2, 3])('after a restart what is known is right, and the rest is said to be unknown (seed %i)', (seed) => {
  const { one, shown } = randomHistory(seed, 40);
  one.write();
  one.restart();
  let known = 0;
  for (let csn = 0; csn <= 40; csn++) {
    const { rows, unknown } = at(one, csn);
    const expected = Object.entries(shown[csn] ?? {}).filter(([key]) => !unknown.includes(key));
    expect(rows).toEqual(Object.fromEntries(expected));
    known += 5 - unknown.length;
  }
  expect(at(one, 0).unknown.length).toBeGreaterThan(0);
  expect(known).toBeGreaterThan(150);
});

test('each entry tells what it changed, field by field', () => {
  const one = new OneSpace(shelfApp);
  const put = (csn: number, row: Row | null) => committed(csn, foreign(['bob', csn, csn], ['put', {}]), {
    effects: [{ table: 'item', key: 'x', row }],
  });
  one.commit(put(1, { id: 'x', shelf: 'a', rank: 1 }), put(2, { id: 'x', shelf: 'b', rank: 1 }), put(3, null));
  const changes = entriesOf(one.space.insides.state).map(({ entry, changes: [change] }) =>
    [entry.csn, change?.fields.map(({ field, before, now }) => [field, before, now])]);
  expect(changes).toEqual([
    [3, [['id', 'x', undefined], ['shelf', 'b', undefined], ['rank', 1, undefined]]],
    [2, [['shelf', 'a', 'b']]],
    [1, [['id', undefined, 'x'], ['shelf', undefined, 'a'], ['rank', undefined, 1]]],
  ]);
});

test('a list is cut where it was asked to be, with what has changed in front', () => {
  const { one } = randomHistory(9, 30);
  const { rows, isCut } = rowsAt(one.space.insides.state, 25, { rowsMax: 2 });
  expect(rows).toHaveLength(2);
  expect(isCut).toBe(true);
  expect(rows[0]?.isChanged).toBe(true);
});
