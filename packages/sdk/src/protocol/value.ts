/**
 * Values in frames: as plain JSON wherever the value is plain, else as a pair of `json` and `meta`
 * (rich-value.ts).
 */
import { BadField, fieldsOf } from './check.js';
import { OxbowError } from './error.js';
import * as limits from './limits.js';
import { flattened, unflattened } from './rich-value.js';
import type { Value } from './update.js';

/** Keys that a careless copy would trip over. Refused in all values. */
export const isForbiddenKey = (key: string): boolean =>
  key === '__proto__' || key === 'constructor' || key === 'prototype';

const BIGINT_BOUND = 10n ** BigInt(limits.bigintDigitsMax);

/**
 * `plain`: JSON carries it as it is. `rich`: needs more (Date, Map, Set, BigInt, RegExp,
 * undefined, NaN, …). Errors: `bad-value` for what cannot travel: functions, symbols, class
 * instances, cycles, too deep nesting.
 */
export function valueForm(value: Value): 'plain' | 'rich' {
  return isRich(value, 0) ? 'rich' : 'plain';
}

function isRich(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return false;
    case 'number':
      return !Number.isFinite(value) || Object.is(value, -0);
    case 'undefined':
      return true;
    case 'bigint':
      if (value >= BIGINT_BOUND || value <= -BIGINT_BOUND) {
        throw badValue('a bigint of too many digits');
      }
      return true;
    case 'object':
      return value !== null && isRichObject(value, depth + 1);
    default:
      throw badValue(`a ${typeof value}`);
  }
}

function isRichObject(value: object, depth: number): boolean {
  if (depth > limits.valueDepthMax) throw badValue('a value nested too deeply, or in a cycle');
  if (Array.isArray(value)) return isRichArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return isRichRecord(value, depth);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw badValue('an invalid date');
  } else if (value instanceof Map) {
    for (const [key, item] of value) { isRich(key, depth + 1); isRich(item, depth + 1); }
  } else if (value instanceof Set) {
    for (const item of value) isRich(item, depth);
  } else if (value instanceof RegExp) {
    if (value.source.length > limits.regexpCharsMax) {
      throw badValue('too long a regular expression');
    }
  } else {
    throw badValue('an instance of a class');
  }
  return true;
}

function isRichArray(items: readonly unknown[], depth: number): boolean {
  let rich = false;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined && !(i in items)) throw badValue('an array with holes');
    if (isRich(item, depth)) rich = true;
  }
  return rich;
}

function isRichRecord(value: object, depth: number): boolean {
  let rich = false;
  // reason: a plain object; its values are looked at one by one.
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key in fields) {
    if (isForbiddenKey(key)) throw badValue(`the property '${key}'`);
    if (isRich(fields[key], depth)) rich = true;
  }
  return rich;
}

const badValue = (what: string): OxbowError =>
  new OxbowError(
    'bad-value',
    `Cannot carry ${what}. Use plain data, Date, Map, Set, BigInt or RegExp.`,
  );

/** JSON carries it as it is, a missing field for undefined. Errors: as `valueForm`. */
export const isPlain = (value: Value): boolean => value === undefined || !isRich(value, 0);

export interface EncodedValue {
  readonly json: string;
  /** Types by path as text; absent for plain values. */
  readonly meta?: string;
}

export function encodeValue(value: Value): EncodedValue {
  if (valueForm(value) === 'plain') return { json: JSON.stringify(value) };
  const { json, values } = flattened(value);
  return { json: JSON.stringify(json), meta: JSON.stringify({ values, v: 1 }) };
}

/** `,"args":…` and, where needed, `,"argsMeta":…`; nothing for undefined. */
export function valueFields(field: string, value: Value): string {
  if (value === undefined) return '';
  const { json, meta } = encodeValue(value);
  return meta === undefined ? `,"${field}":${json}` : `,"${field}":${json},"${field}Meta":${meta}`;
}

/** Takes the parsed JSON over (it may be changed in place). Throws `BadField`. */
export function decodeValue(json: unknown, meta: unknown, path: string): Value {
  if (typeof json === 'object' && json !== null) checkPlain(json, 1, path);
  if (meta === undefined) return json;
  const { values, v, referentialEqualities } = fieldsOf(meta, `${path}Meta`);
  if (v !== 1 || referentialEqualities !== undefined || values === undefined) {
    throw new BadField(`${path}Meta`, 'is not of the known form');
  }
  return unflattened(json, values, `${path}Meta`);
}

/**
 * A deep value would overflow the stack of whoever copies it later; a `__proto__` would trip him.
 */
function checkPlain(value: object, depth: number, path: string): void {
  if (depth > limits.valueDepthMax) throw new BadField(path, 'is nested too deeply');
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && item !== null) checkPlain(item, depth + 1, path);
    }
    return;
  }
  // reason: an object out of JSON.parse.
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key in fields) {
    if (isForbiddenKey(key)) throw new BadField(path, `has the property '${key}'`);
    const item = fields[key];
    if (typeof item === 'object' && item !== null) checkPlain(item, depth + 1, path);
  }
}
