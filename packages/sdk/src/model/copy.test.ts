import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copiedUnits, copyValue } from './copy.js';
import { freezeValue } from './freeze.js';
import * as modelLimits from './limits.js';
import { sameValue } from './same.js';

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, NaN, -0, 0, Infinity),
    fc.double(), fc.string(), fc.bigInt(), fc.date({ noInvalidDate: true }),
    fc.constant(/a+/gi),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
})).value;

describe('copyValue', () => {
  it('gives an equal value that shares nothing', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const copy = copyValue(value);
        expect(copy).toEqual(value);
        expect(sameValue(copy, value)).toBe(true);
        if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves out properties that are undefined and keeps undefined items', () => {
    const copy = copyValue({ a: undefined, b: [undefined, 1] });
    expect(copy).toStrictEqual({ b: [undefined, 1] });
  });

  it('takes the prototype of a dictionary away', () => {
    const value: unknown = Object.assign(Object.create(null), { a: 1 });
    expect(copyValue(value)).toStrictEqual({ a: 1 });
  });

  it('refuses what cannot travel', () => {
    class Money {}
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const refused = [
      () => 1, Symbol('s'), new Money(), new Date(NaN), cyclic, new Uint8Array(2), new Error('no'),
      new WeakMap(), [, 1], JSON.parse('{"__proto__": 1}'), { constructor: 1 }, { prototype: 1 },
      10n ** 5000n, new RegExp('a'.repeat(5000)), [[() => 1]], new Map([[{}, () => 1]]),
    ];
    for (const value of refused) {
      expect(() => copyValue(value)).toThrow(expect.objectContaining({ code: 'bad-value' }));
    }
  });

  it('refuses a property that a symbol names, in development', () => {
    const value = { a: [{ [Symbol('s')]: 1 }] };
    expect(() => copyValue(value, true)).toThrow(expect.objectContaining({ code: 'bad-value' }));
  });

  it('refuses what is too large before it is copied', () => {
    const sparse: unknown[] = [];
    sparse.length = 2 ** 31;
    const refused = ['x'.repeat(modelLimits.valueUnitsMax), sparse, Array(2_000_000).fill('xx')];
    for (const value of refused) {
      expect(() => copyValue(value)).toThrow(expect.objectContaining({ code: 'value-too-large' }));
    }
    const many = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`key-${i}`, i]));
    expect(() => copyValue(many)).toThrow(expect.objectContaining({ code: 'value-too-large' }));
  });

  it('weighs a unit per value and per char', () => {
    copyValue({ ab: 'cde', f: [1, 2] });
    // The object, 'ab', the text and its chars, 'f', the list and its length, two numbers.
    expect(copiedUnits()).toBe(1 + 2 + 4 + 1 + 3 + 2);
    copyValue(1);
    expect(copiedUnits()).toBe(1);
  });
});

describe('sameValue', () => {
  it('tells values apart that differ anywhere', () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        expect(sameValue(a, b)).toBe(sameValue(b, a));
        const wrapped = [{ deep: new Map([['x', a]]) }, { deep: new Map([['x', b]]) }];
        expect(sameValue(wrapped[0], wrapped[1])).toBe(sameValue(a, b));
        if (!sameValue(a, b)) expect(Object.is(a, b)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not mistake one kind for another', () => {
    const kinds = [
      null, undefined, 0, -0, 1, '1', 1n, true, [], {}, [1], { 0: 1 }, new Date(1), new Date(2),
      new Map(), new Set(), new Set([1]), new Map([[1, 1]]), /a/, /a/g, { a: null }, { a: 1 },
    ];
    kinds.forEach((a, i) => kinds.forEach((b, j) => expect(sameValue(a, b)).toBe(i === j)));
  });

  it('does not mind the order of properties, nor a property that is undefined', () => {
    expect(sameValue({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(sameValue({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(sameValue({ a: 1 }, { a: 1, b: undefined })).toBe(true);
    expect(sameValue({ a: undefined, b: 1 }, { a: 1, b: undefined })).toBe(false);
  });
});

describe('freezeValue', () => {
  it('freezes plain data through and through and leaves the rest', () => {
    const value = freezeValue({ a: [{ b: 1 }], when: new Date(0) });
    expect(Object.isFrozen(value)).toBe(true);
    expect(Object.isFrozen(value.a[0])).toBe(true);
    expect(() => Object.assign(value.a[0] ?? {}, { b: 2 })).toThrow(TypeError);
    expect(freezeValue(7)).toBe(7);
    expect(freezeValue(null)).toBe(null);
  });
});
