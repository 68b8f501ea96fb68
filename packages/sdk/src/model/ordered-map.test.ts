import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstAtOrAfter, OrderedMap } from './ordered-map.js';

type Pair = readonly [key: string, value: number];

/** A sorted list of pairs that is searched from the front. */
class NaiveMap {
  constructor(readonly pairs: Pair[] = []) {}

  set(key: string, value: number): void {
    this.delete(key);
    this.pairs.push([key, value]);
    this.pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  delete(key: string): void {
    const place = this.pairs.findIndex(([there]) => there === key);
    if (place >= 0) this.pairs.splice(place, 1);
  }

  range(from: string, to: string | undefined, reverse: boolean): Pair[] {
    const found = this.pairs.filter(([key]) => key >= from && (to === undefined || key < to));
    return reverse ? found.reverse() : found;
  }
}

function range(
  map: OrderedMap<number>, from: string, to: string | undefined, reverse: boolean,
): Pair[] {
  const pairs: Pair[] = [];
  const cursor = map.cursor(from, to, reverse);
  for (let value = cursor.next(); value !== undefined; value = cursor.next()) {
    pairs.push([cursor.key, value]);
  }
  expect(cursor.next()).toBeUndefined();
  return pairs;
}

function expectSame(map: OrderedMap<number>, naive: NaiveMap): void {
  expect(range(map, '', undefined, false)).toEqual(naive.pairs);
  expect(map.size).toBe(naive.pairs.length);
}

const keyOf = (number: number): string => `k${String(number).padStart(4, '0')}`;
const anyNumber = fc.integer({ min: 0, max: 1200 });
/** Runs of neighbours, so that leaves fill, split, empty and join. */
const anyRun = fc.record({
  first: anyNumber,
  count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 400 })),
  step: fc.constantFrom(1, 1, -1, 3, 7),
});
const anyStep = fc.oneof(
  { weight: 4, arbitrary: anyRun.map((run) => ({ kind: 'set', ...run }) as const) },
  { weight: 4, arbitrary: anyRun.map((run) => ({ kind: 'delete', ...run }) as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'clone' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      from: fc.oneof(fc.constant(''), anyNumber.map(keyOf)),
      to: fc.option(anyNumber.map(keyOf), { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
);

const numbersOf = ({ first, count, step }: { first: number; count: number; step: number }): number[] =>
  Array.from({ length: count }, (_, i) => first + i * step).filter((number) => number >= 0);

describe('an ordered map', () => {
  it('answers like a sorted list after any steps, and so do all its clones', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), fc.nat(300), (steps, loaded) => {
        const pairs = Array.from({ length: loaded }, (_, i): Pair => [keyOf(i * 3), -i]);
        let map = OrderedMap.load(pairs.map(([key]) => key), pairs.map(([, value]) => value));
        let naive = new NaiveMap(pairs);
        const others: (readonly [OrderedMap<number>, NaiveMap])[] = [];
        let count = 0;
        for (const step of steps) {
          if (step.kind === 'set') {
            for (const number of numbersOf(step)) {
              map.set(keyOf(number), ++count);
              naive.set(keyOf(number), count);
            }
          } else if (step.kind === 'delete') {
            for (const number of numbersOf(step)) {
              map.delete(keyOf(number));
              naive.delete(keyOf(number));
            }
          } else if (step.kind === 'clone') {
            others.push([map, naive]);
            // Both sides go on: the clone in the next steps, the original at the end.
            map = map.clone();
            naive = new NaiveMap([...naive.pairs]);
          } else {
            const { from, to, reverse } = step;
            expect(range(map, from, to, reverse)).toEqual(naive.range(from, to, reverse));
          }
        }
        expectSame(map, naive);
        for (const [key, value] of naive.pairs) expect(map.get(key)).toBe(value);
        expect(map.get('k')).toBeUndefined();
        for (const [original, its] of others) {
          original.set('k0500+', 1);
          its.set('k0500+', 1);
          original.delete(keyOf(3));
          its.delete(keyOf(3));
        }
        for (const [original, its] of others) expectSame(original, its);
        expectSame(map, naive);
      }),
      { numRuns: 150 },
    );
  });

  it('holds what was put in any order, and nothing after all of it was deleted', () => {
    for (const stride of [1, 7919, 9999]) {
      const map = new OrderedMap<number>();
      const order = Array.from({ length: 10_000 }, (_, i) => (i * stride) % 10_000);
      for (const number of order) map.set(keyOf(number), number);
      const sorted = order.toSorted((a, b) => a - b).map((number): Pair => [keyOf(number), number]);
      expect(range(map, '', undefined, false)).toEqual(sorted);
      expect(range(map, '', undefined, true)).toEqual(sorted.toReversed());
      for (const number of order) map.delete(keyOf(number));
      expect(map.size).toBe(0);
      expect(range(map, '', undefined, true)).toEqual([]);
      map.set('a', 1);
      expect(range(map, '', undefined, false)).toEqual([['a', 1]]);
    }
  });

  it('gives a range whose end lies before its beginning as empty', () => {
    const map = OrderedMap.load(['a', 'b', 'c'], [1, 2, 3]);
    expect(range(map, 'c', 'a', false)).toEqual([]);
    expect(range(map, 'c', 'a', true)).toEqual([]);
    expect(range(map, 'b', 'b', false)).toEqual([]);
  });

  it('finds the first key at or after any text', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ maxLength: 2 })), fc.string({ maxLength: 2 }), (keys, key) => {
        const sorted = keys.sort();
        const found = sorted.findIndex((there) => there >= key);
        expect(firstAtOrAfter(sorted, key)).toBe(found < 0 ? sorted.length : found);
      }),
    );
  });
});
