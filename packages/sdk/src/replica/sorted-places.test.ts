/** Sorted places against the plain answer: a set that is sorted at every scan. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedPlaces } from './sorted-places.js';

interface Row {
  readonly listed: Set<string>;
}

const PLACES = 4_000;
const place = (n: number): string => `p${String(n % PLACES).padStart(5, '0')}`;

/** What a scan gives, without those that only wait to be swept out. */
function scanned(sorted: SortedPlaces<Row>, [from, to]: readonly [string, string], reverse: boolean) {
  const cursor = sorted.scan({ from, to }, reverse);
  const found: string[] = [];
  while (cursor.advance()) if (cursor.row?.listed.has(cursor.place) === true) found.push(cursor.place);
  return found;
}

test('a scan gives each listed place of the range once, in order, from either end', () => {
  const batch = fc.tuple(fc.nat(PLACES), fc.integer({ min: 1, max: 900 }), fc.nat(3), fc.nat(PLACES));
  fc.assert(fc.property(fc.array(batch, { maxLength: 25 }), (batches) => {
    const rows = new Map<string, Row>();
    const sorted = new SortedPlaces<Row>((row, at) => row.listed.has(at));
    for (const [start, count, kind, probe] of batches) {
      for (let i = 0; i < count; i++) {
        const at = place(start + i * 7);
        const listed = rows.get(at);
        if (kind > 0 && listed === undefined) {
          const row = { listed: new Set([at]) };
          rows.set(at, row);
          sorted.add(at, row);
        } else if (kind === 0 && listed !== undefined) {
          listed.listed.delete(at);
          rows.delete(at);
          sorted.removed();
        }
      }
      const range = [place(probe), place(probe + 500)] as const;
      const truth = [...rows.keys()].filter((at) => at >= range[0] && at < range[1]).sort();
      expect(scanned(sorted, range, false)).toEqual(truth);
      expect(scanned(sorted, range, true)).toEqual(truth.reverse());
    }
  }), { numRuns: 200 });
});

test('what was taken out is swept out before it outweighs what is there', () => {
  const sorted = new SortedPlaces<Row>((row, at) => row.listed.has(at));
  const rows = Array.from({ length: 2_000 }, (_, i) => ({ listed: new Set([place(i)]) }));
  rows.forEach((row, i) => sorted.add(place(i), row));
  scanned(sorted, ['', 'q'], false);
  for (const row of rows) {
    row.listed.clear();
    sorted.removed();
  }
  const cursor = sorted.scan({ from: '', to: undefined }, false);
  expect(cursor.advance()).toBe(false);
});
