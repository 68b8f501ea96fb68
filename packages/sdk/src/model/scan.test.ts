import { describe, expect, it } from 'vitest';
import type { RangeRead, ScanOf } from './index.js';
import { keyText, prefixText } from './key.js';
import { PRIMARY } from './reader.js';
import { begin, idsOf, tablesOf } from './testing/item-app.js';
import type { AppTx, Item } from './testing/item-app.js';
import type { Transaction } from './transaction.js';

const rangesOf = (transaction: Transaction): readonly RangeRead[] => transaction.reads().ranges;

describe('the read set', () => {
  it('is empty after blind puts and deletes, and after reading them back', () => {
    const { transaction, tx } = begin(tablesOf([{ id: 1 }]));
    tx.item.put({ id: 1, room: 'red' });
    tx.item.delete(2);
    expect(tx.item.get(1)).toEqual({ id: 1, room: 'red' });
    expect(tx.item.has(2)).toBe(false);
    tx.item.update(1, { room: 'blue' });
    expect(transaction.reads()).toEqual({ keys: new Map(), ranges: [] });
  });

  it('holds keys that were read, whether there was a row or not', () => {
    const { transaction, tx } = begin(tablesOf([{ id: 1 }]));
    tx.item.get(1);
    tx.item.has(2);
    tx.other.get(3);
    const { keys } = transaction.reads();
    expect(keys.get('item')).toEqual(new Set([keyText(1), keyText(2)]));
    expect(keys.get('other')).toEqual(new Set([keyText(3)]));
  });

  const below = tablesOf([1, 3, 5, 7].map((id) => ({ id, room: 'red', start: id })));
  const range = (from: string, to: string | undefined): RangeRead[] => [
    { table: 'item', index: PRIMARY, from, to },
  ];
  const cases: [string, (tx: AppTx) => unknown, RangeRead[]][] = [
    ['all rows', (tx) => tx.item.all(), range('', undefined)],
    ['a range without end', (tx) => tx.item.scan().from([5]).all(), range(keyText(5), undefined)],
    ['a first row', (tx) => tx.item.scan().from([2]).first(), range(keyText(2), `${keyText(3)}\u0000`)],
    ['a last row', (tx) => tx.item.scan().before([6]).reverse().first(), range(keyText(5), keyText(6))],
    ['two of many', (tx) => tx.item.scan().limit(2).all(), range('', `${keyText(3)}\u0000`)],
    ['no rows where there are none', (tx) => tx.item.scan().from([8]).none(), range(keyText(8), undefined)],
    ['nothing', (tx) => tx.item.scan().limit(0).all(), []],
    ['nothing asked', (tx) => tx.item.scan().from([1]), []],
    ['an empty range', (tx) => tx.item.scan().between([5], [5]).all(), []],
    ['a range the wrong way round', (tx) => tx.item.scan().between([7], [1]).all(), []],
  ];
  it.each(cases)('of %s ends where reading ended', (_name, read, expected) => {
    const { transaction, tx } = begin(below);
    read(tx);
    expect(rangesOf(transaction)).toEqual(expected);
  });

  it('of a loop that breaks off ends at the row that it broke off at', () => {
    const { transaction, tx } = begin(below);
    for (const { id } of tx.item.scan()) if (id === 5) break;
    expect(rangesOf(transaction)).toEqual(range('', `${keyText(5)}\u0000`));
  });

  it('of a loop that was left without being closed ends there, too', () => {
    const { transaction, tx } = begin(below);
    tx.item.scan().reverse()[Symbol.iterator]().next();
    expect(rangesOf(transaction)).toEqual(range(keyText(7), undefined));
  });

  it('stops short of an own row at its end', () => {
    const { transaction, tx } = begin(below);
    tx.item.put({ id: 2 });
    expect(tx.item.scan().from([2]).first()).toEqual({ id: 2 });
    expect(rangesOf(transaction)).toEqual([]);
    expect(tx.item.scan().from([2]).limit(2).all().map(({ id }) => id)).toEqual([2, 3]);
    expect(rangesOf(transaction)).toEqual(range(keyText(2), `${keyText(3)}\u0000`));
  });

  it('names the index that was read', () => {
    const { transaction, tx } = begin(below);
    tx.item.index('bySlot').get('red', 3).all();
    const from = prefixText(['red', 3]);
    expect(rangesOf(transaction)).toEqual([
      { table: 'item', index: 'bySlot', from, to: `${from}\u0001` },
    ]);
  });
});

describe('a scan', () => {
  const below = tablesOf([
    { id: 1, room: 'blue', start: 1 },
    { id: 2, room: 'blue', start: 5 },
    { id: 3, room: 'green', start: 1 },
    { id: 4, room: 'red', start: 2 },
    { id: 5 },
  ]);
  type Slots = ScanOf<Item, [string | null, number | null, number]>;
  const cases: [string, (slots: Slots) => Slots, number[]][] = [
    ['all rows, those without a room first', (s) => s, [5, 1, 2, 3, 4]],
    ['a prefix', (s) => s.get('blue'), [1, 2]],
    ['a longer prefix', (s) => s.get('blue', 5), [2]],
    ['a whole place', (s) => s.get('blue', 5, 2), [2]],
    ['what is missing', (s) => s.get(null), [5]],
    ['half-open, the low bound in', (s) => s.between(['blue', 1], ['blue', 5]), [1]],
    ['between prefixes of one part', (s) => s.between(['blue'], ['red']), [1, 2, 3]],
    ['between a prefix and itself', (s) => s.between(['blue'], ['blue']), []],
    ['from a prefix on', (s) => s.from(['blue', 5]), [2, 3, 4]],
    ['before a prefix', (s) => s.before(['green']), [5, 1, 2]],
    ['ranges that overlap', (s) => s.from(['blue', 5]).before(['red']).get('blue'), [2]],
    ['the other way round', (s) => s.get('blue').reverse(), [2, 1]],
    ['there and back', (s) => s.reverse().reverse(), [5, 1, 2, 3, 4]],
    ['the last two', (s) => s.limit(2).reverse(), [4, 3]],
    ['the smaller limit', (s) => s.limit(1).limit(3), [5]],
    ['no parts', (s) => s.get(), [5, 1, 2, 3, 4]],
  ];
  it.each(cases)('gives %s', (_name, refine, expected) => {
    const { tx } = begin(below);
    const scan = refine(tx.item.index('bySlot'));
    expect(idsOf(scan.all())).toEqual(expected);
    expect(idsOf([...scan])).toEqual(expected);
    expect(scan.count()).toBe(expected.length);
    expect(scan.none()).toBe(expected.length === 0);
    expect(scan.first()?.id).toBe(expected[0]);
  });

  it('may be written to while it runs, and sees what was there when it began', () => {
    const { tx } = begin(below);
    tx.item.put({ id: 6, room: 'red', start: 9 });
    const seen: number[] = [];
    for (const { id } of tx.item.scan()) {
      seen.push(id);
      tx.item.delete(id);
      tx.item.delete(id + 1);
      tx.item.put({ id: id + 100 });
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(idsOf(tx.item.all())).toEqual([101, 102, 103, 104, 105, 106]);
  });

  it('is refused what does not fit the index', () => {
    const { tx } = begin(below);
    const slots: { get(...parts: unknown[]): unknown; limit(rows: number): unknown } = tx.item.index('bySlot');
    expect(() => slots.get('blue', 1, 2, 3)).toThrow(expect.objectContaining({ code: 'bad-query' }));
    expect(() => slots.limit(-1)).toThrow(expect.objectContaining({ code: 'bad-query' }));
    expect(() => slots.limit(NaN)).toThrow(expect.objectContaining({ code: 'bad-query' }));
    expect(() => slots.get({})).toThrow(expect.objectContaining({ code: 'bad-key' }));
    const item: { index(name: string): unknown } = tx.item;
    expect(() => item.index('byColour')).toThrow(expect.objectContaining({ code: 'bad-query' }));
  });
});
