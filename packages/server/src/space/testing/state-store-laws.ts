/**
 * What every state store keeps. A driver's test calls `stateStoreLaws` with its way to open, reopen
 * and destroy one.
 */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Effect, Row, SpaceId } from '@oxbow/sdk/protocol';
import type { SpaceEntries, StateStore, StoredSpace } from '../state-store.js';
import {
  apply, close, entry, gone, load, mustLoad, opened, put, sortedLedger, space,
} from './store-calls.js';

export interface StoreUnderTest {
  /** The first call creates; a later one opens what the former left, which was closed before. */
  open(): StateStore;
  destroy(): void;
}

export interface LawOptions {
  /** Bounds that the store was given: small, so that histories reach them. */
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
}

const SPACE = space('team-1');

export function stateStoreLaws(
  name: string,
  make: (options: LawOptions) => StoreUnderTest,
): void {
  describe(name, () => {
    let under: StoreUnderTest;
    beforeEach(() => {
      under = make({ keptEntriesMax: 5, keptCharsMax: 100_000 });
    });
    afterEach(() => under.destroy());

    test('a new store stands at slot 0, has an identity that stays, and knows no space', async () => {
      const first = under.open();
      const at = await opened(first);
      expect(at.appliedSlot).toBe(0);
      expect(at.history).not.toBe('');
      expect(await load(first, SPACE)).toBeUndefined();
      await close(first);
      const second = under.open();
      expect(await opened(second)).toEqual(at);
      await close(second);
    });

    test('what was applied is there: rows, ledger, entries, head, slot; also after reopening', async () => {
      const entries = [
        entry(1, { effects: [put('a', { n: 1 }), put('b', { n: 2 })] }),
        {
          ...entry(2, { effects: [put('a', { n: 3 }), gone('b')], replica: 'r2', seq: 7, user: null }),
          madeAt: 5,
        },
      ];
      const first = under.open();
      await apply(first, 4, [{ space: SPACE, entries }]);
      const before = await mustLoad(first, SPACE);
      expect(before.head).toEqual({ csn: 2, at: 1002, lamport: 12 });
      expect(before.rows).toEqual([{ table: 'item', key: 'a', row: { n: 3 } }]);
      expect(sortedLedger(before)).toEqual([
        { replica: 'r1', seq: 1, user: 'ann' }, { replica: 'r2', seq: 7, user: null, lamport: 12, madeAt: 5 },
      ]);
      expect(before.entries).toEqual(entries);
      await close(first);
      const second = under.open();
      expect((await opened(second)).appliedSlot).toBe(4);
      expect(await mustLoad(second, SPACE)).toEqual(before);
      await close(second);
    });

    test('a load sees every apply that was called before it, answered or not', async () => {
      const store = under.open();
      const answers = [1, 2, 3].map((n) =>
        apply(store, n, [{ space: SPACE, entries: [entry(n, { effects: [put('a', { n })] })] }]));
      expect((await mustLoad(store, SPACE)).rows).toEqual([{ table: 'item', key: 'a', row: { n: 3 } }]);
      await Promise.all(answers);
      await close(store);
    });

    test('applies are answered in order, never in the same turn', async () => {
      const store = under.open();
      const answered: number[] = [];
      const all = [1, 2, 3, 4].map((n) =>
        apply(store, n, [{ space: SPACE, entries: [entry(n)] }]).then(() => answered.push(n)));
      expect(answered).toEqual([]);
      await Promise.all(all);
      expect(answered).toEqual([1, 2, 3, 4]);
      await close(store);
    });

    test('the kept log is bounded by entries and by characters, dense, and ends at the head', async () => {
      const store = under.open();
      for (let n = 1; n <= 12; n++) await apply(store, n, [{ space: SPACE, entries: [entry(n)] }]);
      expect(csns(await mustLoad(store, SPACE))).toEqual([8, 9, 10, 11, 12]);
      const wide = (csn: number) => entry(csn, { effects: [put('w', { text: 'x'.repeat(40_000) })] });
      await apply(store, 13, [{ space: SPACE, entries: [wide(13), wide(14), wide(15)] }]);
      expect(csns(await mustLoad(store, SPACE))).toEqual([14, 15]);
      const huge = entry(16, { effects: [put('w', { text: 'x'.repeat(200_000) })] });
      await apply(store, 14, [{ space: SPACE, entries: [huge] }]);
      expect(csns(await mustLoad(store, SPACE))).toEqual([16]);
      await close(store);
    });

    test('keys and values come back as they were, however odd or long', async () => {
      const rows: Record<string, Row> = {
        ordinary: { n: 1, text: 'ä€😀', none: null, list: [1, [2]], nested: { deep: true } },
        'with\u0000zero': { date: new Date(5), map: new Map([['k', 1n]]), set: new Set([1]) },
        ['k'.repeat(4_096)]: { long: 1 },
        [`${'k'.repeat(4_095)}l`]: { long: 2 },
        ['😀'.repeat(1_000)]: { long: 3 },
        '': { empty: true },
      };
      const effects = Object.entries(rows).map(([key, row]) => put(key, row));
      const other = put('ordinary', { table: 2 }, 'items');
      const store = under.open();
      await apply(store, 1, [{ space: SPACE, entries: [entry(1, { effects: [...effects, other] })] }]);
      const stored = await mustLoad(store, SPACE);
      const found = stored.rows.filter(({ table }) => table === 'item');
      expect(Object.fromEntries(found.map(({ key, row }) => [key, row]))).toEqual(rows);
      expect(stored.rows.filter(({ table }) => table === 'items')).toHaveLength(1);
      await apply(store, 2, [{
        space: SPACE,
        entries: [entry(2, { effects: Object.keys(rows).map((key) => gone(key)) })],
      }]);
      expect((await mustLoad(store, SPACE)).rows).toEqual([
        { table: 'items', key: 'ordinary', row: { table: 2 } },
      ]);
      await close(store);
    });

    test('spaces do not see each other, prefixes of names included', async () => {
      const store = under.open();
      const names = ['a', 'a/b', 'ab', 'b'].map(space);
      await apply(store, 1, names.map((name) => ({
        space: name, entries: [entry(1, { effects: [put('k', { name })] })],
      })));
      for (const name of names) {
        expect((await mustLoad(store, name)).rows).toEqual([{ table: 'item', key: 'k', row: { name } }]);
      }
      expect(await load(store, space('a/'))).toBeUndefined();
      await close(store);
    });

    test('random histories of several spaces equal a naive model, also across reopening', async () => {
      await fc.assert(
        fc.asyncProperty(histories, async (steps) => {
          under.destroy();
          under = make({ keptEntriesMax: 5, keptCharsMax: 100_000 });
          await compare(under, steps);
        }),
        { numRuns: 40 },
      );
    });
  });
}

type Step = 'reopen' | readonly { readonly space: number; readonly effects: readonly Effect[] }[];

const effect: fc.Arbitrary<Effect> = fc
  .tuple(fc.constantFrom('item', 'note'), fc.constantFrom('a', 'b', 'c'), fc.option(fc.nat(9)))
  .map(([table, key, n]) => ({ table, key, row: n === null ? null : { n } }));
const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.constant<Step>('reopen') },
    {
      weight: 8,
      arbitrary: fc.array(
        fc.record({ space: fc.nat(2), effects: fc.array(effect, { maxLength: 4 }) }),
        { minLength: 1, maxLength: 4 },
      ),
    },
  ),
  { maxLength: 12 },
);

async function compare(under: StoreUnderTest, steps: readonly Step[]): Promise<void> {
  let store = under.open();
  let slot = 0;
  const model = new Map<SpaceId, { csn: number; rows: Map<string, Row> }>();
  for (const step of steps) {
    if (step === 'reopen') {
      await close(store);
      store = under.open();
      expect((await opened(store)).appliedSlot).toBe(slot);
      continue;
    }
    const batches: SpaceEntries[] = step.map(({ space: index, effects }) => {
      const name = space(`s${index}`);
      const state = model.get(name) ?? { csn: 0, rows: new Map<string, Row>() };
      model.set(name, state);
      for (const { table, key, row } of effects) {
        if (row === null) state.rows.delete(`${table}/${key}`);
        else state.rows.set(`${table}/${key}`, row);
      }
      state.csn += 1;
      return { space: name, entries: [entry(state.csn, { effects })] };
    });
    slot += 1;
    await apply(store, slot, batches);
  }
  for (const [name, { csn, rows }] of model) {
    const stored = await mustLoad(store, name);
    expect(stored.head.csn).toBe(csn);
    expect(csns(stored).at(-1)).toBe(csn);
    expect(stored.entries.length).toBe(Math.min(csn, 5));
    const found = stored.rows.map(({ table, key, row }) => [`${table}/${key}`, row] as const);
    expect(new Map(found)).toEqual(rows);
  }
  await close(store);
}

const csns = (stored: StoredSpace): number[] => stored.entries.map(({ csn }) => csn);
