import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadSet, TableTx } from './index.js';
import { keyText } from './key.js';
import * as modelLimits from './limits.js';
import { PRIMARY } from './reader.js';
import { placeOf } from './table-shape.js';
import { app, begin, CALL, tablesOf } from './testing/item-app.js';
import type { AppTx, Item } from './testing/item-app.js';
import type { Tables } from './tables.js';
import { Transaction } from './transaction.js';
import type { Row } from '../protocol/index.js';


const ROOMS = ['blue', 'red'] as const;
const anyItem: fc.Arbitrary<Item> = fc.record(
  { id: fc.integer({ min: 0, max: 12 }), room: fc.constantFrom(...ROOMS), start: fc.nat(3) },
  { requiredKeys: ['id'] },
);
const anyItems = fc.uniqueArray(anyItem, { selector: ({ id }) => id, maxLength: 12 });

/** One thing that a mutation may do, and what it saw. */
const anyStep = fc.oneof(
  anyItem.map((item) => (tx: AppTx): unknown => tx.item.put(item)),
  anyItem.map(({ id }) => (tx: AppTx): unknown => tx.item.delete(id)),
  anyItem.map(({ id }) => (tx: AppTx): unknown => tx.item.get(id)),
  anyItem.map(({ id, room }) => (tx: AppTx): unknown => tx.item.has(id) && tx.item.update(id, { room })),
  fc.tuple(fc.constantFrom(...ROOMS), fc.nat(3), fc.nat(4), fc.boolean(), fc.nat(4)).map(
    ([room, from, to, reverse, limit]) => (tx: AppTx): unknown => {
      const scan = tx.item.index('bySlot').between([room, from], [room, to]);
      return (reverse ? scan.reverse() : scan).limit(limit).all();
    },
  ),
  fc.constantFrom(...ROOMS).map((room) => (tx: AppTx): unknown => tx.item.index('bySlot').get(room).first()),
  fc.constant((tx: AppTx): unknown => tx.item.all()),
  fc.nat(12).map((id) => (tx: AppTx): unknown => tx.item.scan().from([id]).reverse().first()),
  fc.tuple(fc.nat(12), fc.nat(12)).map(
    ([low, high]) => (tx: AppTx): unknown => tx.item.scan().between([low], [high]).count(),
  ),
);

/** The same steps on tables into which every write goes at once. */
class NaiveItem {
  readonly #tables: Tables;
  constructor(tables: Tables) {
    this.#tables = tables;
  }
  get tx(): AppTx {
    const { tx } = begin(this.#tables);
    const put = (item: Item): void => this.#write(item.id, { ...item });
    const item: TableTx<Item, Item, 'id', (typeof app)['tables']['item']['indexes']> = {
      get: (id) => tx.item.get(id),
      has: (id) => tx.item.has(id),
      all: () => tx.item.all(),
      scan: () => tx.item.scan(),
      index: (name) => tx.item.index(name),
      put,
      update: (id, patch) => put({ id, ...tx.item.get(id), ...patch } as Item),
      delete: (id) => this.#write(id, null),
    };
    return { ...tx, item };
  }
  #write(id: number, row: Row | null): void {
    this.#tables.apply([{ table: 'item', key: keyText(id), row }]);
  }
}

/** Whether anything that was read lies on the row's key or on one of its places. */
function meets(reads: ReadSet, id: number, row: Row | undefined): boolean {
  const key = keyText(id);
  if (reads.keys.get('item')?.has(key) === true) return true;
  if (row === undefined) return false;
  const index = app.shapes.get('item')?.indexes[0];
  return reads.ranges.some(({ index: name, from, to }) => {
    const place = name === PRIMARY || index === undefined ? key : placeOf(index, row, key);
    return place >= from && (to === undefined || place < to);
  });
}

describe('a transaction', () => {
  it('sees its own writes over the rows below, in rows and in ranges', () => {
    fc.assert(
      fc.property(anyItems, fc.array(anyStep, { maxLength: 12 }), (items, steps) => {
        const { tx } = begin(tablesOf(items));
        const naive = new NaiveItem(tablesOf(items));
        for (const step of steps) expect(step(tx)).toEqual(step(naive.tx));
      }),
      { numRuns: 1500 },
    );
  });

  it('has effects that turn the tables below into what it saw', () => {
    fc.assert(
      fc.property(anyItems, fc.array(anyStep, { maxLength: 12 }), (items, steps) => {
        const tables = tablesOf(items);
        const { transaction, tx } = begin(tables);
        for (const step of steps) step(tx);
        const seen = tx.item.all();
        const effects = transaction.effects();
        expect(new Set(effects.map(({ key }) => key)).size).toBe(effects.length);
        tables.apply(effects);
        expect([...tables.rows('item')].map(([, row]) => row)).toEqual(seen);
      }),
      { numRuns: 500 },
    );
  });

  it('sees and does the same after any change below that its read set does not meet', () => {
    fc.assert(
      fc.property(
        anyItems, fc.array(anyStep, { maxLength: 6 }), fc.array(anyItem, { maxLength: 6 }), fc.infiniteStream(fc.boolean()),
        (items, steps, changes, removes) => {
          const tables = tablesOf(items);
          const first = begin(tables);
          const seen = steps.map((step) => step(first.tx));
          const reads = first.transaction.reads();
          for (const change of changes) {
            const key = keyText(change.id);
            const remove = removes.next().value === true;
            const old = tables.row('item', key);
            const row = remove ? null : { ...change };
            if (meets(reads, change.id, old) || meets(reads, change.id, row ?? undefined)) continue;
            tables.apply([{ table: 'item', key, row }]);
          }
          const second = begin(tables);
          expect(steps.map((step) => step(second.tx))).toEqual(seen);
          expect(second.transaction.effects()).toEqual(first.transaction.effects());
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('writes', () => {
  it('are copies: what the mutation changes afterwards does not count', () => {
    const { transaction, tx } = begin(tablesOf([]));
    const row = { id: 1, room: 'red' };
    tx.item.put(row);
    row.room = 'changed';
    expect(transaction.effects()).toEqual([
      { table: 'item', key: keyText(1), row: { id: 1, room: 'red' } },
    ]);
  });

  it('of one key make one effect, at the place of the first', () => {
    const { transaction, tx } = begin(tablesOf([]));
    tx.item.put({ id: 2 });
    tx.item.put({ id: 1 });
    tx.item.delete(2);
    expect(transaction.effects()).toEqual([
      { table: 'item', key: keyText(2), row: null },
      { table: 'item', key: keyText(1), row: { id: 1 } },
    ]);
  });

  it('update fields, remove those that are undefined and keep the rest', () => {
    const { tx } = begin(tablesOf([{ id: 1, room: 'red', start: 3 }]));
    tx.item.update(1, { start: undefined });
    expect(tx.item.get(1)).toStrictEqual({ id: 1, room: 'red' });
  });

  const item = (tx: AppTx): { put(row: unknown): void; update(key: unknown, patch: unknown): void } => tx.item;
  const refused: [string, (tx: AppTx) => void, string][] = [
    ['an update of a row that is not there', (tx) => tx.item.update(9, {}), 'row-missing'],
    ['an update of the key', (tx) => item(tx).update(1, { id: 2 }), 'bad-row'],
    ['a row without its key', (tx) => item(tx).put({ room: 'red' }), 'bad-key'],
    ['a row that is a list', (tx) => item(tx).put([1]), 'bad-row'],
    ['a row that is none', (tx) => item(tx).put(undefined), 'bad-row'],
    ['a row with a function', (tx) => item(tx).put({ id: 1, room: () => 1 }), 'bad-value'],
    ['an indexed field that cannot be a key', (tx) => item(tx).put({ id: 1, room: {} }), 'bad-key'],
  ];
  it.each(refused)('refuse %s', (_name, write, code) => {
    const { transaction, tx } = begin(tablesOf([{ id: 1 }]));
    expect(() => write(tx)).toThrow(expect.objectContaining({ code }));
    expect(transaction.effects()).toEqual([]);
  });

  it('are refused while it reads only', () => {
    const transaction = new Transaction(tablesOf([]), CALL, false);
    // reason: as in begin.
    const tx = new app.Tx(transaction) as unknown as AppTx;
    for (const write of [() => tx.item.put({ id: 1 }), () => tx.item.update(1, {}), () => tx.item.delete(1)]) {
      expect(write).toThrow(expect.objectContaining({ code: 'tx-read-only' }));
    }
  });

  it('are frozen in development', () => {
    const { tx } = begin(tablesOf([]), true);
    tx.item.put({ id: 1 });
    expect(Object.isFrozen(tx.item.get(1))).toBe(true);
  });
});

describe('bounds', () => {
  it('stop a transaction that writes too many keys', () => {
    const { transaction, tx } = begin(tablesOf([]));
    for (let id = 0; id < modelLimits.writesMax; id++) tx.item.delete(id);
    tx.item.delete(5);
    const once = expect.objectContaining({ code: 'limit-exceeded' });
    expect(transaction.exceeded).toBeUndefined();
    expect(() => tx.item.delete(-1)).toThrow(once);
    expect(transaction.exceeded).toMatchObject({ code: 'limit-exceeded' });
  });

  it('stop a transaction that writes too much', () => {
    const { tx } = begin(tablesOf([]));
    const big = 'x'.repeat(modelLimits.valueUnitsMax / 2);
    const write = (id: number): void => {
      const other: { put(row: unknown): void } = tx.other;
      other.put({ id, big });
    };
    write(1);
    write(2);
    expect(() => write(3)).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
  });

  it('stop a transaction that takes too many steps, and keep it stopped', () => {
    const { transaction, tx } = begin(tablesOf([{ id: 1 }]));
    const spin = (): void => {
      for (let i = 0; i <= modelLimits.stepsMax; i++) tx.item.get(1);
    };
    expect(spin).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
    expect(() => tx.item.get(1)).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
    expect(transaction.exceeded).toMatchObject({ code: 'limit-exceeded' });
  });
});

describe('after its end', () => {
  it('every use of it is refused', () => {
    const { transaction, tx } = begin(tablesOf([{ id: 1 }]));
    const { item } = tx;
    const scan = item.scan();
    const loop = scan[Symbol.iterator]();
    loop.next();
    transaction.end();
    const uses = [
      () => item.get(1), () => item.put({ id: 2 }), () => item.delete(1), () => item.all(),
      () => item.scan().first(), () => scan.all(), () => loop.next(), () => tx.other.has(1),
      () => tx.now, () => tx.user, () => tx.id(), () => tx.random(),
    ];
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: 'tx-ended' }));
  });
});

describe('chance', () => {
  const draw = (seq: number, at = 1000): unknown => {
    const call = { ...CALL, at, id: { ...CALL.id, seq } };
    const transaction = new Transaction(tablesOf([]), call, false);
    const tx = new app.Tx(transaction);
    return [tx.id(), tx.random(), tx.id(), tx.now, tx.user];
  };

  it('is the same in every execution of an update and another in every other update', () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1)).not.toEqual(draw(1, 1001));
  });

  it('starts anew with each phase, so that what a check drew does not matter', () => {
    const transaction = new Transaction(tablesOf([]), CALL, false);
    const tx = new app.Tx(transaction);
    transaction.enter('reading');
    const first = [tx.id(), tx.id()];
    transaction.enter('writing');
    expect([tx.id(), tx.id()]).toEqual(first);
    expect(first[0]).not.toBe(first[1]);
  });

  it('gives ids in the form of a UUID, all different, and numbers evenly from 0 to 1', () => {
    const ids = new Set<string>();
    let sum = 0;
    for (let seq = 1; seq <= 2000; seq++) {
      const transaction = new Transaction(tablesOf([]), { ...CALL, id: { ...CALL.id, seq } }, false);
      const tx = new app.Tx(transaction);
      const id = tx.id();
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      ids.add(id);
      const random = tx.random();
      expect(random >= 0 && random < 1).toBe(true);
      sum += random;
    }
    expect(ids.size).toBe(2000);
    expect(Math.abs(sum / 2000 - 0.5)).toBeLessThan(0.05);
  });
});
