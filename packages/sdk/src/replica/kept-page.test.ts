import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineApp, keyText, table, Tables } from '../model/index.js';
import type { PageRow, Row } from '../protocol/index.js';
import { rowLines } from '../protocol/record-codec.js';
import { KeptPage } from './kept-page.js';

const odd = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '"start":"x"', '{', '\\"start\\":\\"', '"', '\\', '{"start":"', '"v":1}]', '\n', '\u2028', 'é😀',
    'aa', 'ab', 'aab', 'a"', 'a\\', 'a\uffff', 'a\u0000', 'ae', '\u0003',
  ),
);
const plain = fc.oneof(odd, fc.integer(), fc.boolean(), fc.constant(null), fc.array(odd, { maxLength: 2 }));
const nested = fc.dictionary(fc.constantFrom('start', 'a', '{', 'values'), plain, { maxKeys: 2 });
const value = fc.oneof(
  { weight: 4, arbitrary: plain }, nested,
  fc.constant({ v: 1 }), fc.constant(new Date('2026-01-04')), fc.constant(1n),
);
const rows: fc.Arbitrary<Row> = fc.dictionary(fc.constantFrom('id', 'start', 'end', '"start', '{'), value);
const keys = fc.oneof(odd.map((text) => keyText(text)), fc.stringMatching(/^[a-f]{1,3}$/));
const pairs = fc.uniqueArray(fc.tuple(keys, rows), { selector: ([key]) => key, maxLength: 20 });

const sorted = (list: readonly PageRow[]): PageRow[] =>
  list.map(([key, row]): PageRow => [key, { ...row }]).sort(([a], [b]) => (a < b ? -1 : 1));

describe('a page of texts', () => {
  test('gives its rows, whatever is in them, and what was laid over it instead', () => {
    fc.assert(fc.property(pairs, pairs, fc.array(fc.nat(19)), (under, over, gone) => {
      const deleted = gone.flatMap((at) => under[at]?.[0] ?? []);
      const laid = new Map<string, Row | null>([...over, ...deleted.map((key) => [key, null] as const)]);
      const page = new KeptPage('', rowLines(sorted(under)), laid);
      const all = new Map<string, Row | null>([...under, ...laid]);
      const left = [...all].flatMap(([key, row]): PageRow[] => (row === null ? [] : [[key, row]]));
      expect(page.pairs()).toEqual(sorted(left));
    }), { numRuns: 500 });
  });
});

describe('a table of such pages', () => {
  const app = defineApp({
    name: 'test', version: 1, mutations: {},
    tables: {
      item: table<{ id: string; start?: string; end?: string }>()({
        key: 'id', indexes: { byStart: ['start'], byEnd: ['end', 'start'] },
      }),
    },
  });

  /** In pages of three rows, every other row laid over what is on disk. */
  function asleep(list: readonly PageRow[]): Tables {
    const pages: KeptPage[] = [];
    for (let i = 0; i < list.length; i += 3) {
      const part = list.slice(i, i + 3);
      const [first] = part;
      if (first === undefined) break;
      const lines = rowLines(part.map(([key, row], at): PageRow => (at === 1 ? [key, { start: 'aa' }] : [key, row])));
      pages.push(new KeptPage(first[0], lines, new Map(part.slice(1, 2))));
    }
    const tables = new Tables(app);
    tables.loadAsleep('item', pages);
    return tables;
  }

  function awake(list: readonly PageRow[]): Tables {
    const tables = new Tables(app);
    tables.load('item', list);
    return tables;
  }

  /** Texts that begin alike, with what JSON or keys escape among them. */
  const alike = fc.string({ unit: fc.constantFrom('a', 'a', 'b', '"', '\\', '\n', '\uffff', '\u0000'), maxLength: 3 })
    .map((end) => `a${end}`);
  const alikeRows = fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[a-f]{1,3}$/), fc.record({ start: alike, end: alike })),
    { selector: ([key]) => key, minLength: 5, maxLength: 20 },
  );
  const bound = fc.oneof(alike, alike, odd).map((text) => keyText(text));
  const step = fc.record({
    index: fc.constantFrom('byStart', 'byStart', 'byEnd', ''), from: fc.oneof(fc.constant(''), bound),
    to: fc.option(bound, { nil: undefined }), reverse: fc.boolean(), ofClone: fc.boolean(),
    write: fc.option(fc.tuple(keys, fc.option(rows))),
  });

  test('gives what a table of rows gives, in any order of asking and writing, to a clone, too', () => {
    fc.assert(fc.property(fc.oneof(pairs, alikeRows), fc.array(step, { maxLength: 6 }), (list, steps) => {
      const both = [asleep(sorted(list)), awake(sorted(list))] as const;
      const clones = [both[0].clone(), both[1].clone()] as const;
      for (const { index, from, to, reverse, ofClone, write } of steps) {
        const [tables, expected] = ofClone ? clones : both;
        const found = [...tables.scan('item', index, { from, to }, reverse)];
        expect(found).toEqual([...expected.scan('item', index, { from, to }, reverse)]);
        if (write === null) continue;
        for (const one of [tables, expected]) one.apply([{ table: 'item', key: write[0], row: write[1] }]);
      }
      for (const [one, expected] of [both, clones]) {
        expect([...one.rows('item')]).toEqual([...expected.rows('item')]);
        expect(one.size('item')).toBe(expected.size('item'));
      }
      for (const [key] of list) expect(both[0].row('item', key)).toEqual(both[1].row('item', key));
    }), { numRuns: 1_500 });
  });

  test('makes a row once: all who read it get the same', () => {
    const tables = new Tables(app);
    tables.loadAsleep('item', [new KeptPage('a', rowLines([['a', { start: 'x' }], ['b', { start: 'y' }]]))]);
    const clone = tables.clone();
    const range = { from: keyText('ya'.slice(0, 1)), to: keyText('ya') };
    const [hit] = tables.scan('item', 'byStart', range, false);
    const row = tables.row('item', 'b');
    expect(hit?.row).toEqual({ start: 'y' });
    expect(row).toBe(hit?.row);
    expect([...tables.rows('item')].map(([, of]) => of)[1]).toBe(row);
    expect(clone.row('item', 'b')).toBe(row);
    expect([...tables.scan('item', '', { from: '', to: undefined }, true)][0]?.row).toBe(row);
  });

  test('takes many new rows into what was one page', () => {
    const tables = new Tables(app);
    const keyOf = (n: number): string => `k${String(n).padStart(4, '0')}`;
    const some = Array.from({ length: 800 }, (_, i): PageRow => [keyOf(i * 2), { n: i * 2 }]);
    tables.loadAsleep('item', [new KeptPage(keyOf(0), rowLines(some))]);
    for (let n = 1; n < 1600; n += 2) tables.apply([{ table: 'item', key: keyOf(n), row: { n } }]);
    expect([...tables.rows('item')].map(([, { n }]) => n)).toEqual(Array.from({ length: 1600 }, (_, n) => n));
    for (let n = 0; n < 1600; n++) tables.apply([{ table: 'item', key: keyOf(n), row: null }]);
    expect(tables.size('item')).toBe(0);
  });
});
