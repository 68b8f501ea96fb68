import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineApp, table } from './index.js';
import type { IndexHit, Range } from './index.js';
import { keyText } from './key.js';
import { PRIMARY } from './reader.js';
import { placeOf } from './table-shape.js';
import { Tables } from './tables.js';
import type { Row } from '../protocol/index.js';

interface Item {
  readonly id: number;
  readonly room?: string;
  readonly start?: number | null;
}
const app = defineApp({
  name: 'test',
  version: 1,
  tables: {
    item: table<Item>()({ key: 'id', indexes: { bySlot: ['room', 'start'], byRoom: ['room'] } }),
    other: table<Item>()({ key: 'id' }),
  },
  mutations: {},
});
const shape = app.shapes.get('item');
const INDEXES = [PRIMARY, 'bySlot', 'byRoom'] as const;

/** All rows in a map; a scan sorts and filters them. */
class NaiveTable {
  readonly rows = new Map<string, Row>();

  scan(index: string, { from, to }: Range, reverse: boolean): IndexHit[] {
    const hits = [...this.rows].map(([key, row]) => ({ place: this.#place(index, row, key), key, row }));
    const found = hits.filter(({ place }) => place >= from && (to === undefined || place < to));
    found.sort((a, b) => (a.place < b.place ? -1 : 1));
    return reverse ? found.reverse() : found;
  }

  #place(index: string, row: Row, key: string): string {
    const found = shape?.indexes.find(({ name }) => name === index);
    return found === undefined ? key : placeOf(found, row, key);
  }
}

const anyItem: fc.Arbitrary<Item> = fc.record(
  {
    id: fc.integer({ min: 0, max: 30 }),
    room: fc.constantFrom('red', 'blue', 'blue\u0000', '', '\uffff', '\u{1f600}'),
    start: fc.constantFrom(0, 1, 2, null),
  },
  { requiredKeys: ['id'] },
);
const anyBound = fc.oneof(
  anyItem.map(({ id }) => keyText(id)),
  anyItem.map((item) => placeOf({ name: '', fields: ['room', 'start'] }, { ...item }, '')),
  fc.constantFrom('', 'blue', 'red\u0001'),
);
const anyStep = fc.oneof(
  { weight: 5, arbitrary: anyItem.map((item) => ({ kind: 'put', item }) as const) },
  { weight: 3, arbitrary: anyItem.map(({ id }) => ({ kind: 'delete', id }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clone' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      index: fc.constantFrom(...INDEXES),
      from: anyBound,
      to: fc.option(anyBound, { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
);

function contents(tables: Tables): unknown {
  return INDEXES.map((index) => [...tables.scan('item', index, { from: '', to: undefined }, false)]);
}

describe('tables', () => {
  it('answer like a sorted list after any puts and deletes, and their clones stay as they were', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const tables = new Tables(app);
        const naive = new NaiveTable();
        const clones: { readonly clone: Tables; readonly contents: unknown }[] = [];
        for (const step of steps) {
          if (step.kind === 'put') {
            const row = { ...step.item };
            tables.apply([{ table: 'item', key: keyText(step.item.id), row }]);
            naive.rows.set(keyText(step.item.id), row);
          } else if (step.kind === 'delete') {
            tables.apply([{ table: 'item', key: keyText(step.id), row: null }]);
            naive.rows.delete(keyText(step.id));
          } else if (step.kind === 'clone') {
            clones.push({ clone: tables.clone(), contents: contents(tables) });
          } else {
            const { index, reverse } = step;
            const found = [...tables.scan('item', index, step, reverse)];
            expect(found).toEqual(naive.scan(index, step, reverse));
          }
        }
        expect(tables.size('item')).toBe(naive.rows.size);
        for (const index of INDEXES) {
          const all = { from: '', to: undefined };
          expect([...tables.scan('item', index, all, false)]).toEqual(naive.scan(index, all, false));
        }
        for (const { clone, contents: then } of clones) expect(contents(clone)).toEqual(then);
      }),
      { numRuns: 400 },
    );
  });

  it('clone both ways: what the clone writes does not reach the original', () => {
    const tables = new Tables(app);
    tables.apply([{ table: 'item', key: keyText(1), row: { id: 1, room: 'red' } }]);
    const before = contents(tables);
    const clone = tables.clone();
    for (let id = 0; id < 200; id++) {
      clone.apply([{ table: 'item', key: keyText(id), row: { id, room: 'blue' } }]);
    }
    clone.apply([{ table: 'other', key: keyText(1), row: { id: 1 } }]);
    expect(contents(tables)).toEqual(before);
    expect(tables.names()).toEqual(['item']);
    expect(clone.size('item')).toBe(200);
  });

  it('load sorted rows as if they had been put one by one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyItem, { selector: ({ id }) => id, maxLength: 31 }), (items) => {
        const one = new Tables(app);
        for (const item of items) one.apply([{ table: 'item', key: keyText(item.id), row: { ...item } }]);
        const all = new Tables(app);
        all.load('item', [...one.rows('item')]);
        expect(contents(all)).toEqual(contents(one));
        // A loaded table can be written, and does not change what it was loaded from.
        const before = contents(one);
        all.apply([{ table: 'item', key: keyText(7), row: { id: 7, room: 'new' } }]);
        expect(all.row('item', keyText(7))).toEqual({ id: 7, room: 'new' });
        expect(contents(one)).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('refuse to load rows that are out of order', () => {
    const rows: [string, Row][] = [['b', { id: 2 }], ['a', { id: 1 }]];
    expect(() => new Tables(app).load('item', rows)).toThrow(
      expect.objectContaining({ code: 'invariant' }),
    );
  });

  it('keep rows of tables that the app does not know', () => {
    const tables = new Tables(app);
    tables.apply([
      { table: 'future', key: 'k2', row: { any: 2 } },
      { table: 'future', key: 'k1', row: { any: 1 } },
    ]);
    tables.load('later', [['k', { any: 3 }]]);
    expect(tables.names()).toEqual(['future', 'later']);
    expect([...tables.rows('future')].map(([key]) => key)).toEqual(['k1', 'k2']);
    expect(tables.row('later', 'k')).toEqual({ any: 3 });
    tables.apply([{ table: 'future', key: 'k1', row: null }]);
    expect(tables.clone().size('future')).toBe(1);
  });

  it('take rows whose indexed fields another version of the app has filled with something else', () => {
    const tables = new Tables(app);
    tables.apply([{ table: 'item', key: keyText(1), row: { id: 1, room: { odd: true } } }]);
    tables.apply([{ table: 'item', key: keyText(1), row: { id: 1, room: 'red' } }]);
    expect([...tables.scan('item', 'byRoom', { from: '', to: undefined }, false)]).toHaveLength(1);
  });

  it('refuse an index that is not there', () => {
    const tables = new Tables(app);
    tables.apply([{ table: 'item', key: keyText(1), row: { id: 1 } }]);
    const scan = (): unknown => tables.scan('item', 'byColour', { from: '', to: undefined }, false);
    expect(scan).toThrow(expect.objectContaining({ code: 'bad-query' }));
  });

  it('read no further than asked', () => {
    const tables = new Tables(app);
    for (let id = 0; id < 1000; id++) tables.apply([{ table: 'item', key: keyText(id), row: { id } }]);
    const seen: unknown[] = [];
    for (const { row } of tables.scan('item', PRIMARY, { from: '', to: undefined }, true)) {
      seen.push(row['id']);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([999, 998, 997]);
  });
});
