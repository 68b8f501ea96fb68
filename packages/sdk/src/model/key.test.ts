import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexKey, keyText, keyValue, prefixText, afterPrefix } from './key.js';
import type { Key } from './key.js';
import * as modelLimits from './limits.js';

const rank = (key: Key): number => {
  if (key === null) return 0;
  if (key === false) return 1;
  if (key === true) return 2;
  if (typeof key === 'number') return 3;
  if (typeof key === 'bigint') return 4;
  return key instanceof Date ? 5 : 6;
};

/** The documented order, told the plain way. */
function compareKeys(a: Key, b: Key): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === 'string' && typeof b === 'string') {
    const [left, right] = [Array.from(a, pointOf), Array.from(b, pointOf)];
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const difference = (left[i] ?? 0) - (right[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return left.length - right.length;
  }
  if (a === null || b === null || a === b) return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}
const pointOf = (char: string): number => char.codePointAt(0) ?? 0;

const anyChar = fc.oneof(
  fc.constantFrom('\u0000', '\u0001', '\u0002', '\u0008', '\u0009', ' ', 'a', 'z', '\u00ff'),
  fc.constantFrom('\ud7fe', '\ud7ff', '\ud800', '\udbff', '\udc00', '\udfff', '\ue000', '\uffff'),
  fc.constantFrom('\u{10000}', '\u{1f600}', '\u{10ffff}', '\uff0c', '\ufeff', '\u0100', '\u2900'),
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
);
const anyString = fc.array(anyChar, { maxLength: 8 }).map((chars) => chars.join(''));
const anyNumber = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, -0, Infinity, -Infinity, Number.MIN_VALUE, -Number.MIN_VALUE, 2 ** 53),
);
const anyBigint = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }),
  fc.bigInt({ min: -(16n ** 380n), max: 16n ** 380n }),
  fc.integer({ min: 0, max: 380 }).map((digits) => 16n ** BigInt(digits)),
  fc.integer({ min: 0, max: 380 }).map((digits) => -(16n ** BigInt(digits))),
);
const anyDate = fc.date({ noInvalidDate: true });
const anyKey: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom(null, true, false), anyNumber, anyBigint, anyDate, anyString,
);

const sign = (difference: number): number => Math.sign(difference);
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareBytes = (a: string, b: string): number =>
  sign(Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')));

describe('key text', () => {
  it('sorts like the keys, by code units and by UTF-8 bytes', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const expected = sign(compareKeys(a, b));
        expect(compareTexts(keyText(a), keyText(b))).toBe(expected);
        expect(compareBytes(keyText(a), keyText(b))).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('sorts keys of one type like the keys', () => {
    for (const some of [anyString, anyNumber, anyBigint, anyDate]) {
      const pair: fc.Arbitrary<[Key, Key]> = fc.tuple(some, some);
      fc.assert(
        fc.property(pair, ([a, b]) => {
          expect(compareTexts(keyText(a), keyText(b))).toBe(sign(compareKeys(a, b)));
          expect(compareBytes(keyText(a), keyText(b))).toBe(sign(compareKeys(a, b)));
        }),
        { numRuns: 3000 },
      );
    }
  });

  it('gives the key back, with -0 as 0', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(keyValue(keyText(key))).toStrictEqual(key === 0 ? 0 : key);
      }),
      { numRuns: 5000 },
    );
  });

  it('is well-formed and free of U+0000 whatever the key', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const text = keyText(key);
        expect(text).not.toContain('\u0000');
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
        expect(text).not.toBe('');
      }),
      { numRuns: 5000 },
    );
  });

  it('of an ordinary string is the string itself', () => {
    for (const text of ['id-1', 'Überweg', '東京', '😀 party', '  ', '~', '\t']) {
      expect(keyText(text)).toBe(text);
    }
  });

  it('of a small whole number is short', () => {
    expect(keyText(0).length).toBeLessThanOrEqual(3);
    expect(keyText(12).length).toBeLessThanOrEqual(4);
    expect(keyText(1_700_000_000_000).length).toBeLessThanOrEqual(11);
  });

  it('puts U+FF01 before U+1F600, which UTF-16 does not', () => {
    expect('\uff01' < '\u{1f600}').toBe(false);
    expect(keyText('\uff01') < keyText('\u{1f600}')).toBe(true);
  });

  it('refuses what has no place in the order', () => {
    const refused = [NaN, new Date(NaN), undefined, {}, [], ['a'], Symbol('s'), () => 1, new Map()];
    for (const value of refused) {
      expect(() => keyText(value)).toThrow(expect.objectContaining({ code: 'bad-key' }));
    }
  });

  it('refuses what is too long', () => {
    const max = modelLimits.keyCharsMax;
    expect(keyText('x'.repeat(max))).toHaveLength(max);
    const refused = ['x'.repeat(max + 1), '\uffff'.repeat(max / 2 + 1), 16n ** BigInt(max)];
    for (const value of refused) {
      expect(() => keyText(value)).toThrow(expect.objectContaining({ code: 'bad-key' }));
    }
  });

  it('that nobody made is refused or stands for a key that has another text', () => {
    for (const text of ['', '\u0001', '\u0001x', '\ud7ff', '\ud7ff!', '\u0005~', '\u00060', '\u0000']) {
      expect(() => keyValue(text)).toThrow(expect.objectContaining({ code: 'bad-key' }));
    }
    fc.assert(
      fc.property(anyString, (text) => {
        let key: Key;
        try {
          key = keyValue(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-key' });
          return;
        }
        expect(keyValue(keyText(key))).toStrictEqual(key);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('index key', () => {
  const anyParts = fc.array(anyKey, { maxLength: 3 });
  /** Of a row whose indexed fields hold these values. */
  const placeOf = (values: readonly unknown[], key: string): string =>
    indexKey(Object.keys(values), { ...values }, key);

  it('sorts by its parts, one after the other', () => {
    const pair = fc.integer({ min: 1, max: 3 }).chain((length) => {
      const parts = fc.array(anyKey, { minLength: length, maxLength: length });
      return fc.tuple(parts, anyKey, parts, anyKey);
    });
    fc.assert(
      fc.property(pair, ([a, keyOfA, b, keyOfB]) => {
        const left = [...a, keyOfA];
        const right = [...b, keyOfB];
        const expected = left.map((part, i) => sign(compareKeys(part, right[i] ?? null)));
        expect(compareTexts(placeOf(a, keyText(keyOfA)), placeOf(b, keyText(keyOfB)))).toBe(
          expected.find((difference) => difference !== 0) ?? 0,
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('lies in the range of a prefix exactly if it begins with those parts', () => {
    fc.assert(
      fc.property(anyParts, anyKey, anyParts, (parts, key, prefix) => {
        const place = placeOf(parts, keyText(key));
        const from = prefixText(prefix);
        const all = [...parts, key];
        const begins =
          prefix.length <= all.length &&
          prefix.every((part, i) => compareKeys(part, all[i] ?? null) === 0);
        if (prefix.length === 0) return;
        expect(place >= from && place < afterPrefix(from)).toBe(begins);
      }),
      { numRuns: 5000 },
    );
  });

  it('lets what is missing or cannot be a key stand as null', () => {
    for (const value of [undefined, {}, NaN, 'x'.repeat(10_000)]) {
      expect(placeOf([value, 1], 'k')).toBe(placeOf([null, 1], 'k'));
    }
  });
});
