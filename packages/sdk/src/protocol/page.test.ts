import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checksum, cutPages, decodeRows, encodeRows, isForbiddenKey, ledgerPages, limits, pageHash,
  valueForm, type PageRow,
} from './index.js';
import { R } from './testing/sample.js';

const rowsOf = (count: number, chars = 200): PageRow[] =>
  Array.from({ length: count }, (_, i): PageRow =>
    [`s:${String(i).padStart(6, '0')}`, { text: 'x'.repeat(chars + (i * 7919) % chars) }]);

const hashes = (rows: readonly PageRow[]): string[] =>
  [...cutPages('t', rows)].map(({ hash }) => hash);

describe('pages', () => {
  it('come out near their target size, and never beyond their maximum', () => {
    const pages = [...cutPages('t', rowsOf(40_000))];
    const sizes = pages.map(({ rows }) => encodeRows(rows).length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean).toBeGreaterThan(limits.pageCharsTarget / 2);
    expect(mean).toBeLessThan(limits.pageCharsTarget * 2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.pageCharsMax + 2);
    expect(pages.flatMap(({ rows }) => rows)).toEqual(rowsOf(40_000));
  });

  it('keep their hash where a row is inserted, changed or deleted elsewhere', () => {
    const rows = rowsOf(20_000);
    const before = new Set(hashes(rows));
    const inserted = rows.toSpliced(9000, 0, ['s:008999x', { text: 'new' }]);
    const changed = rows.with(15_000, ['s:015000', { text: 'changed' }]);
    for (const rowsAfter of [inserted, changed, rows.toSpliced(500, 1)]) {
      const fresh = hashes(rowsAfter).filter((hash) => !before.has(hash));
      expect(fresh.length).toBeLessThanOrEqual(3);
    }
  });

  it('give a row beyond the maximum a page of its own or the end of one', () => {
    const big: PageRow = ['s:000001x', { text: 'y'.repeat(limits.pageCharsMax) }];
    const pages = [...cutPages('t', rowsOf(4).toSpliced(2, 0, big))];
    expect(pages.flatMap(({ rows }) => rows.map(([key]) => key)))
      .toEqual(['s:000000', 's:000001', 's:000001x', 's:000002', 's:000003']);
  });

  it('depend on nothing but their rows', () => {
    fc.assert(fc.property(fc.array(fc.string()), (keys) => {
      const rows = [...new Set(keys)].sort().map((key): PageRow => [key, { key }]);
      const bounds =
        { pageCharsMin: 20, pageCharsTarget: 60, pageCharsMax: 100, rowsPerPageMax: 5 };
      const pages = [...cutPages('t', rows, bounds)];
      expect(pages.flatMap((page) => page.rows)).toEqual(rows);
      for (const page of pages) {
        expect(page.rows.length).toBeLessThanOrEqual(5);
        expect(page.hash).toBe(pageHash('t', encodeRows(page.rows)));
        expect(decodeRows(encodeRows(page.rows))).toEqual(page.rows);
      }
    }));
  });

  it('are told apart by table and by contents', () => {
    const seen = new Set(Array.from({ length: 20_000 }, (_, i) => pageHash('t', `[["k",${i}]]`)));
    expect(seen.size).toBe(20_000);
    expect(pageHash('a', '[]')).not.toBe(pageHash('b', '[]'));
    expect(checksum('ab')).toMatch(/^[0-9a-f]{16}$/);
    expect(checksum('ab')).not.toBe(checksum('ba'));
  });

  it('have the same text, hence the same hash, at whoever read them', () => {
    const shared = { when: new Date(3) };
    const field = fc.anything({
      withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 3,
      withNullPrototype: false, withTypedArray: false, withSparseArray: false,
    }).filter((value) => {
      try {
        valueForm(value);
        return true;
      } catch {
        return false;
      }
    });
    const fields = fc.oneof(field, fc.constantFrom(-0, NaN, '\ud800', undefined, [shared, shared]));
    const row = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('1', '02', 'a.b', '')), fields)
      .filter((keys) => !Object.keys(keys).some((key) => isForbiddenKey(key)));
    fc.assert(fc.property(fc.array(row), (all) => {
      const text = encodeRows(all.map((one, i): PageRow => [`k${i}`, one]));
      expect(encodeRows(decodeRows(text))).toBe(text);
    }), { numRuns: 200 });
  });

  it('carry the ledger, sorted by replica', () => {
    const [page] = [...ledgerPages([{ replica: R, seq: 3, user: null }])];
    expect(page).toMatchObject({ table: '', rows: [[R, { seq: 3, user: null }]] });
  });
});
