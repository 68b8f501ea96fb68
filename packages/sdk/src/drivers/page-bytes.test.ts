import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBytes, toBytes } from './page-bytes.js';

const texts = fc.string({ unit: 'grapheme', maxLength: 200 });

test('a page comes back as it was written, wherever its bytes lie', () => {
  fc.assert(fc.property(texts, fc.nat({ max: 7 }), (text, shift) => {
    const bytes = toBytes(text);
    const moved = new Uint8Array(bytes.length + shift);
    moved.set(bytes, shift);
    expect(fromBytes(moved.subarray(shift))).toBe(text);
  }));
});

test('a page of which one bit is another, or the end is gone, is empty', () => {
  fc.assert(fc.property(texts, fc.nat(), fc.nat({ max: 7 }), (text, at, bit) => {
    const bytes = toBytes(`${text}.`);
    const place = at % bytes.length;
    bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
    expect(fromBytes(bytes)).toBe('');
    expect(fromBytes(toBytes(`${text}.`).slice(0, place))).toBe('');
  }), { numRuns: 500 });
});
