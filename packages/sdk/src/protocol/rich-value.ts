/**
 * What JSON cannot carry, in superjson's form: the JSON of a tree in which such values stand as
 * text or lists, and beside it their types by dotted path. The library itself is many times as
 * heavy as the few types that travel here, and follows a stranger's paths and types unseen: here
 * every path must lead through raw JSON, every type must be one of ours and fit what stands there.
 */
import { BadField, fieldsOf, type Fields } from './check.js';
import * as limits from './limits.js';

/** `[type]`, `[type, children]` or, where nothing is to be done at the place itself, children. */
type Annotation = readonly [type: string, children?: Children] | Children;
/** By dotted path down from the place. */
interface Children {
  readonly [path: string]: Annotation;
}

interface Flat {
  readonly json: unknown;
  readonly values: Annotation | undefined;
}

/** `value` is one that `valueForm` takes. */
export function flattened(value: unknown): Flat {
  switch (typeof value) {
    case 'undefined':
      return { json: null, values: ['undefined'] };
    case 'bigint':
      return { json: String(value), values: ['bigint'] };
    case 'number': {
      const isMinusZero = Object.is(value, -0);
      if (Number.isFinite(value) && !isMinusZero) return { json: value, values: undefined };
      return { json: isMinusZero ? '-0' : String(value), values: ['number'] };
    }
    case 'object':
      return value === null ? { json: null, values: undefined } : flattenedObject(value);
    default:
      return { json: value, values: undefined };
  }
}

function flattenedObject(value: object): Flat {
  if (value instanceof Date) return { json: value.toISOString(), values: ['Date'] };
  if (value instanceof RegExp) return { json: String(value), values: ['regexp'] };
  if (value instanceof Map) return flattenedItems([...value], 'map');
  if (value instanceof Set) return flattenedItems([...value], 'set');
  return flattenedItems(value, undefined);
}

function flattenedItems(items: object, type: string | undefined): Flat {
  // reason: written at keys of `items` only, which are places where `items` is a list.
  const json = (Array.isArray(items) ? [] : {}) as Record<string, unknown>;
  const children: Record<string, Annotation> = {};
  for (const [key, item] of Object.entries(items)) {
    const { json: itemJson, values } = flattened(item);
    json[key] = itemJson;
    if (values === undefined) continue;
    const step = key.replace(/[\\.]/g, '\\$&');
    if (isTyped(values)) children[step] = values;
    else for (const path in values) children[`${step}.${path}`] = values[path] ?? {};
  }
  const inner = Object.keys(children).length > 0 ? children : undefined;
  if (type === undefined) return { json, values: inner };
  return { json, values: inner === undefined ? [type] : [type, inner] };
}

const isTyped = (values: Annotation): values is readonly [string, Children?] =>
  Array.isArray(values);

/** Takes the parsed JSON over and changes it in place. Throws `BadField`. */
export function unflattened(json: unknown, values: unknown, path: string): unknown {
  const root: Record<string, unknown> = { root: json };
  if (Array.isArray(values)) revive(values, root, 'root', path);
  else reviveChildren(values, json, path);
  return root['root'];
}

/** What is within a place first: paths lead through what is still raw. */
function revive(
  node: unknown, parent: Record<string, unknown>, key: string, path: string,
): void {
  if (!Array.isArray(node) || node.length < 1 || node.length > 2) {
    throw new BadField(path, 'has a malformed node');
  }
  const type: unknown = node[0];
  if (typeof type !== 'string') throw new BadField(path, 'names a type that is refused');
  if (node.length === 2) reviveChildren(node[1], parent[key], path);
  try {
    parent[key] = revived(type, parent[key]);
  } catch {
    throw new BadField(path, `names '${type.slice(0, 20)}' where it does not fit`);
  }
}

/** None of the paths may be the beginning of another: each place has one annotation. */
function reviveChildren(children: unknown, json: unknown, path: string): void {
  const fields = fieldsOf(children, path);
  for (const dotted in fields) {
    const steps = stepsOf(dotted, fields, path);
    const last = steps.pop() ?? '';
    let parent = holderOf(json, path);
    for (const step of steps) parent = holderOf(own(parent, step, path), path);
    own(parent, last, path);
    revive(fields[dotted], parent, last, path);
  }
}

/** A dot or backslash within a step is escaped by a backslash. */
function stepsOf(dotted: string, siblings: Fields, path: string): string[] {
  const steps = [''];
  for (let i = 0; i < dotted.length; i++) {
    let char = dotted.charAt(i);
    if (char === '.') {
      if (Object.hasOwn(siblings, dotted.slice(0, i))) {
        throw new BadField(path, 'names a place twice');
      }
      steps.push('');
      continue;
    }
    if (char === '\\') {
      char = dotted.charAt(++i);
      if (char !== '\\' && char !== '.') throw new BadField(path, 'has a malformed path');
    }
    steps[steps.length - 1] += char;
  }
  if (steps.length > limits.valueDepthMax) throw new BadField(path, 'has too long a path');
  return steps;
}

const INDEX = /^(0|[1-9][0-9]{0,8})$/;

function holderOf(json: unknown, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null) throw new BadField(path, 'leads nowhere');
  // reason: an object or a list out of JSON.parse; `own` looks at what is asked of it.
  return json as Record<string, unknown>;
}

function own(holder: Record<string, unknown>, step: string, path: string): unknown {
  const isThere = Object.hasOwn(holder, step) && (!Array.isArray(holder) || INDEX.test(step));
  if (!isThere) throw new BadField(path, 'leads nowhere');
  return holder[step];
}

const BIGINT = /^-?[0-9]+$/;
const DATE = /^[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z$/;
const NUMBER = /^(NaN|-?Infinity|-0)$/;

/** Throws anything where the type does not fit. */
function revived(type: string, json: unknown): unknown {
  if (type === 'undefined' && json === null) return undefined;
  if (type === 'set' && Array.isArray(json)) return new Set<unknown>(json);
  if (type === 'map' && Array.isArray(json) && json.every(isPair)) return new Map(json);
  if (typeof json !== 'string') throw new RangeError();
  const { length } = json;
  if (type === 'bigint' && length <= limits.bigintDigitsMax + 1 && BIGINT.test(json)) {
    return BigInt(json);
  }
  if (type === 'Date' && length <= 32 && DATE.test(json)) {
    const date = new Date(json);
    if (!Number.isNaN(date.getTime())) return date;
  }
  if (type === 'number' && NUMBER.test(json)) return Number(json);
  if (type === 'regexp' && length <= 2 * limits.regexpCharsMax && json.startsWith('/')) {
    const end = json.lastIndexOf('/');
    return new RegExp(json.slice(1, end), json.slice(end + 1));
  }
  throw new RangeError();
}

const isPair = (item: unknown): item is [unknown, unknown] =>
  Array.isArray(item) && item.length === 2;
