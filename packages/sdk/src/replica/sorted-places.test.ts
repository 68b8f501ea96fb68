/** Sorted places against the plain answer: a set that is sorted at every scan. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedPlaces } from './sorted-places.js';

interface Item {
  readonly place: string;
  isListed: boolean;
}

const PLACES = 4_000;
const place = (n: number): string => `p${String(n % PLACES).padStart(5, '0')}`;

/** What a scan gives, without those that only wait to be swept out. */
function scanned(
  sorted: SortedPlaces<Item>, range: { readonly from: string; readonly to: string }, reverse: boolean,
) {
  const cursor = sorted.scan(range, reverse, 100);
  const found: string[] = [];
  while (cursor.advance()) if (cursor.item?.isListed === true) found.push(cursor.place);
  return found;
}

test('a scan gives each listed place of the range once, in order, from either end', () => {
  const batch = fc.tuple(fc.nat(PLACES), fc.integer({ min: 1, max: 900 }), fc.nat(3), fc.nat(PLACES));
  fc.assert(fc.property(fc.array(batch, { maxLength: 25 }), (batches) => {
    const items = new Map<string, Item>();
    const sorted = new SortedPlaces<Item>(({ isListed }) => isListed);
    for (const [start, count, kind, probe] of batches) {
      for (let i = 0; i < count; i++) {
        const at = place(start + i * 7);
        const there = items.get(at);
        if (there !== undefined) there.isListed = kind > 0;
        if (kind === 0) items.delete(at);
        // Once more, where it is listed already: the later one counts.
        if (kind > 0 && (there === undefined || kind === 1)) {
          if (there !== undefined) there.isListed = false;
          const item = { place: at, isListed: true };
          items.set(at, item);
          sorted.add(item);
        }
      }
      const range = { from: place(probe), to: place(probe + 500) };
      const truth = [...items.keys()].filter((at) => at >= range.from && at < range.to).sort();
      expect(scanned(sorted, range, false)).toEqual(truth);
      expect(scanned(sorted, range, true)).toEqual(truth.reverse());
    }
  }), { numRuns: 200 });
});

test('what is of no use is swept out before it outweighs what is', () => {
  const sorted = new SortedPlaces<Item>(({ isListed }) => isListed);
  const items = Array.from({ length: 2_000 }, (_, i) => ({ place: place(i), isListed: true }));
  for (const item of items) sorted.add(item);
  const all = { from: '', to: undefined };
  expect(sorted.scan(all, false, 2_000).advance()).toBe(true);
  for (const item of items) item.isListed = false;
  expect(sorted.scan(all, false, 0).advance()).toBe(false);
});
