import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Row } from '../protocol/index.js';
import { encodeRow } from '../protocol/record-codec.js';
import { defineApp, table } from './index.js';
import { keyText } from './key.js';
import { keyIn, markOf, rowOf, textField } from './row-text.js';
import { Tables } from './tables.js';

const START = markOf('start');
const odd = fc.oneof(
  fc.string(),
  fc.constantFrom('"start":"x"', '{', '\\"start\\":\\"', '"', '\\', '{"start":"', '"v":1}]', '\n', '\u2028', 'é😀'),
);
const plain = fc.oneof(odd, fc.integer(), fc.boolean(), fc.constant(null), fc.array(odd, { maxLength: 2 }));
const nested = fc.dictionary(fc.constantFrom('start', 'a', '{', 'values'), plain, { maxKeys: 2 });
const value = fc.oneof({ weight: 4, arbitrary: plain }, nested, fc.constant({ v: 1 }));
const rows: fc.Arbitrary<Row> = fc.dictionary(fc.constantFrom('id', 'start', 'end', '"start', '{'), value);

describe('the text of a row', () => {
  test('gives its key and the row, whatever is in them', () => {
    fc.assert(fc.property(odd, rows, (key, row) => {
      const text = encodeRow([key, row]);
      expect(keyIn(text)).toBe(key);
      expect(rowOf(text)).toEqual({ ...row });
    }), { numRuns: 1_000 });
  });

  test('tells a field that is a text as the row has it, or does not tell', () => {
    fc.assert(fc.property(odd, rows, (key, row) => {
      const told = textField(encodeRow([key, row]), START);
      if (told !== undefined) expect(told).toBe(row.start);
    }), { numRuns: 5_000 });
  });

  test('tells it for rows as apps mostly have them', () => {
    const row = { id: 'b1', title: 'Planning {room}', start: '2026-03-01T09:00', notes: ['a "b"'] };
    expect(textField(encodeRow(['b1', { ...row, title: 'Planning' }]), START)).toBe(row.start);
    expect(textField(encodeRow(['b1', row]), START)).toBeUndefined();
    expect(textField(encodeRow(['b1', { id: 'b1', inner: { start: 'x' } }]), START)).toBeUndefined();
  });
});

describe('a table of texts', () => {
  const app = defineApp({
    name: 'test', version: 1, mutations: {},
    tables: { item: table<{ id: string; start?: string }>()({ key: 'id', indexes: { byStart: ['start'] } }) },
  });
  const texts = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-f]{1,3}$/), rows), { selector: ([key]) => key });

  function loaded(pairs: readonly (readonly [string, Row])[], isText: boolean): Tables {
    const tables = new Tables(app);
    const sorted = pairs.map(([id, row]) => [id, { ...row, id }] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    tables.load('item', sorted.map(([key, row]) => [key, isText ? encodeRow([key, row]) : row] as const));
    return tables;
  }

  test('gives what a table of rows gives, in any order of asking, to a clone, too', () => {
    const bound = odd.map((text) => keyText(text));
    const scan = fc.record({
      index: fc.constantFrom('byStart', ''), from: fc.oneof(fc.constant(''), bound),
      to: fc.option(bound, { nil: undefined }), reverse: fc.boolean(), ofClone: fc.boolean(),
    });
    fc.assert(fc.property(texts, fc.array(scan, { maxLength: 6 }), (pairs, scans) => {
      const tables = loaded(pairs, true);
      const expected = loaded(pairs, false);
      const clone = tables.clone();
      for (const { index, from, to, reverse, ofClone } of scans) {
        const found = [...(ofClone ? clone : tables).scan('item', index, { from, to }, reverse)];
        expect(found).toEqual([...expected.scan('item', index, { from, to }, reverse)]);
      }
      for (const [key] of pairs) expect(tables.row('item', key)).toEqual(expected.row('item', key));
    }), { numRuns: 300 });
  });

  test('makes a row once: all who read it get the same', () => {
    const tables = loaded([['a', { start: 'x' }], ['b', { start: 'y' }]], true);
    const clone = tables.clone();
    const row = tables.row('item', 'b');
    const [hit] = tables.scan('item', 'byStart', { from: keyText('y'), to: keyText('z') }, false);
    expect(hit?.row).toBe(row);
    expect([...tables.rows('item')].map(([, of]) => of)[1]).toBe(row);
    expect(clone.row('item', 'b')).toBe(row);
    expect([...tables.scan('item', '', { from: '', to: undefined }, true)][0]?.row).toBe(row);
  });
});
