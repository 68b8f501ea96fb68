/**
 * Copies of values that are handed over: what the app changes afterwards must not reach a table or
 * an update that other replicas hold. The same walk finds out whether the value can travel at all,
 * and weighs it, so that rows and arguments are bounded before they are text.
 */
import { isForbiddenKey, OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Value } from '../protocol/index.js';
import * as modelLimits from './limits.js';

// Of the copy under way or just made; one value at a time is copied, synchronously.
let units = 0;
let isStrict = false;

/**
 * A deep copy. Carried: null, booleans, numbers, strings, bigints, plain objects, arrays, `Date`,
 * `Map`, `Set`, `RegExp`. A property whose value is undefined is left out. Errors: `bad-value` for
 * anything else (functions, symbols, class instances, cycles, invalid dates); `value-too-large`.
 * A property that a symbol names reaches neither a disk nor another replica; only `strict` (in
 * development) looks for one and refuses it, as that takes as long as all the rest of the copy.
 */
export function copyValue(value: Value, strict = false): Value {
  units = 0;
  isStrict = strict;
  const copy = copyAt(value, 0);
  weigh(0);
  return copy;
}

/** What the last copied value weighed: a unit per value within it and per char of its text. */
export const copiedUnits = (): number => units;

function copyAt(value: unknown, depth: number): unknown {
  units += 1;
  switch (typeof value) {
    case 'string':
      weigh(value.length);
      return value;
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      weigh(bigintChars(value));
      return value;
    case 'object':
      return value === null ? null : copyObject(value, depth + 1);
    default:
      throw badValue(`a ${typeof value}`);
  }
}

function copyObject(value: object, depth: number): object {
  weigh(0);
  if (depth > limits.valueDepthMax) throw badValue('a value nested too deeply, or in a cycle');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyRecord(value, depth);
  if (Array.isArray(value)) return copyArray(value, depth);
  return copyBuiltIn(value, depth);
}

/**
 * A spread is made in one piece, with the shape of its source: a third of the time of a copy that
 * is built field by field.
 */
function copyRecord(source: object, depth: number): object {
  const before = units;
  // reason: a plain object; every property is looked at as unknown.
  const copy = { ...source } as Record<string, unknown>;
  if (isStrict && Object.getOwnPropertySymbols(copy).length > 0) {
    throw badValue('a property that a symbol names');
  }
  let isClean = true;
  // A list of the keys would cost more than the loop.
  for (const key in copy) {
    if (!Object.hasOwn(copy, key)) continue;
    if (isForbiddenKey(key)) throw badValue(`the property '${key}'`);
    units += key.length;
    const item = copy[key];
    isClean &&= item !== undefined;
    if (typeof item === 'string') weigh(item.length + 1);
    else copy[key] = copyAt(item, depth);
  }
  if (isClean) return copy;
  units = before;
  // To delete them from the copy would make it a slow object.
  const fields = Object.entries(source).filter(([, item]) => item !== undefined);
  return copyRecord(Object.fromEntries(fields), depth);
}

function copyArray(items: readonly unknown[], depth: number): unknown[] {
  // Before the copy is made: a sparse array can claim any length.
  weigh(items.length);
  const copy: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    if (!(i in items)) throw badValue('an array with holes');
    copy.push(copyAt(items[i], depth));
  }
  return copy;
}

function copyBuiltIn(value: object, depth: number): object {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw badValue('an invalid date');
    return new Date(value.getTime());
  }
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    for (const [key, item] of value) copy.set(copyAt(key, depth), copyAt(item, depth));
    return copy;
  }
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    for (const item of value) copy.add(copyAt(item, depth));
    return copy;
  }
  if (value instanceof RegExp) {
    if (value.source.length > limits.regexpCharsMax) throw badValue('too long a regular expression');
    weigh(value.source.length);
    return new RegExp(value.source, value.flags);
  }
  throw badValue('an instance of a class');
}

function weigh(chars: number): void {
  units += chars;
  if (units > modelLimits.valueUnitsMax) {
    throw new OxbowError(
      'value-too-large',
      `A value is too large: more than ${modelLimits.valueUnitsMax} chars. Split it over several rows.`,
    );
  }
}

function bigintChars(value: bigint): number {
  const digits = value.toString(16).length;
  // A hexadecimal digit is at most 1.21 decimal ones.
  if (digits * 1.21 > limits.bigintDigitsMax) throw badValue('a bigint of too many digits');
  return digits;
}

const badValue = (what: string): OxbowError =>
  new OxbowError(
    'bad-value',
    `Cannot carry ${what}. Use plain data, Date, Map, Set, BigInt or RegExp.`,
  );
