/**
 * Values in frames: as plain JSON wherever the value is plain, else as superjson's pair of `json`
 * and `meta`. A stranger's meta is never handed on unseen: superjson follows its paths into objects
 * and builds what it names, so every path must lead through raw JSON, every type must be one of
 * ours and fit what stands there.
 */
import { SuperJSON } from 'superjson';
import { BadField, fieldsOf } from './check.js';
import { OxbowError } from './error.js';
import { limits } from './limits.js';
import type { Value } from './update.js';

/** Our own instance: what an app registers with the shared one does not reach the wire. */
const superjson = new SuperJSON();

/** Keys that superjson refuses, and that a careless copy would trip over. Refused in all values. */
export const isForbiddenKey = (key: string): boolean =>
  key === '__proto__' || key === 'constructor' || key === 'prototype';

const BIGINT_BOUND = 10n ** BigInt(limits.bigintDigitsMax);

/**
 * `plain`: JSON carries it as it is. `rich`: needs superjson (Date, Map, Set, BigInt, RegExp,
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
  /** superjson's meta as text; absent for plain values. */
  readonly meta?: string;
}

export function encodeValue(value: Value): EncodedValue {
  if (valueForm(value) === 'plain') return { json: JSON.stringify(value) };
  const { json, meta } = superjson.serialize(value);
  // Values are trees: what superjson knows of shared objects is left out.
  return { json: JSON.stringify(json), meta: JSON.stringify({ values: meta?.values, v: 1 }) };
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
  checkAnnotation(values, json, `${path}Meta`);
  try {
    // reason: superjson's types for its own format; the structure was checked just above.
    return superjson.deserialize(
      { json, meta: { values, v: 1 } } as Parameters<typeof superjson.deserialize>[0],
      { inPlace: true },
    );
  } catch {
    throw new BadField(`${path}Meta`, 'does not fit the value');
  }
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

/**
 * A node is `[type]`, `[type, children]` or, where nothing is to be done at the root itself,
 * children.
 */
function checkAnnotation(node: unknown, json: unknown, path: string): void {
  if (!Array.isArray(node)) return checkChildren(node, json, path);
  if (node.length !== 1 && node.length !== 2) throw new BadField(path, 'has a malformed node');
  const type: unknown = node[0];
  if (typeof type !== 'string') throw new BadField(path, 'names a type that is refused');
  if (node.length === 2) checkChildren(node[1], json, path);
  if (!fitsType(type, json)) {
    throw new BadField(path, `names '${type.slice(0, 20)}' where it does not fit`);
  }
}

/**
 * Keys are dotted paths down from `json`; none may be the beginning of another: each place has one
 * annotation.
 */
function checkChildren(children: unknown, json: unknown, path: string): void {
  const fields = fieldsOf(children, path);
  for (const key in fields) {
    let place = json;
    let from = 0;
    for (const end of segmentEnds(key, path)) {
      if (end < key.length && Object.hasOwn(fields, key.slice(0, end))) {
        throw new BadField(path, 'names a place twice');
      }
      place = childOf(place, key.slice(from, end), path);
      from = end + 1;
    }
    const child = fields[key];
    if (!Array.isArray(child)) throw new BadField(path, 'has a malformed node');
    checkAnnotation(child, place, path);
  }
}

/**
 * Where the segments of a dotted path end; a dot or backslash within a segment is escaped by a
 * backslash.
 */
function segmentEnds(key: string, path: string): number[] {
  const ends: number[] = [];
  for (let i = 0; i < key.length; i++) {
    const char = key[i];
    if (char === '.') ends.push(i);
    if (char !== '\\') continue;
    i += 1;
    if (key[i] !== '\\' && key[i] !== '.') throw new BadField(path, 'has a malformed path');
  }
  ends.push(key.length);
  if (ends.length > limits.valueDepthMax) throw new BadField(path, 'has too long a path');
  return ends;
}

const INDEX = /^(0|[1-9][0-9]{0,8})$/;

function childOf(parent: unknown, segment: string, path: string): unknown {
  const key = segment.replace(/\\(.)/g, '$1');
  if (typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key)) {
    // reason: an own property of an object out of JSON.parse.
    if (!Array.isArray(parent)) return (parent as Readonly<Record<string, unknown>>)[key];
    if (INDEX.test(key)) return parent[Number(key)];
  }
  throw new BadField(path, 'leads nowhere');
}

const BIGINT = /^-?[0-9]+$/;
const DATE = /^[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z$/;

const isText = (json: unknown, charsMax: number): json is string =>
  typeof json === 'string' && json.length <= charsMax;

function fitsType(type: string, json: unknown): boolean {
  switch (type) {
    case 'undefined':
      return json === null;
    case 'bigint':
      return isText(json, limits.bigintDigitsMax + 1) && BIGINT.test(json);
    case 'Date':
      return isText(json, 32) && DATE.test(json) && !Number.isNaN(new Date(json).getTime());
    case 'number':
      return json === 'NaN' || json === 'Infinity' || json === '-Infinity' || json === '-0';
    case 'regexp':
      return isText(json, 2 * limits.regexpCharsMax) && json.startsWith('/');
    case 'set':
      return Array.isArray(json);
    case 'map':
      return Array.isArray(json) && json.every((pair) => Array.isArray(pair) && pair.length === 2);
    default:
      return false;
  }
}
