/**
 * Structural equality of values that can travel. The rebase keeps the old row when a re-run wrote
 * an equal one, so that nobody is told of a change that is none.
 */
import type { Value } from '../protocol/index.js';

/**
 * Whether two values would read the same. NaN equals itself, 0 and -0 differ (they travel apart);
 * the order of an object's properties does not count, that of the entries of a `Map` or `Set` does.
 * A property with the value undefined equals a missing one.
 */
export function sameValue(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype: unknown = Object.getPrototypeOf(a);
  if (prototype === Object.prototype || prototype === null) return isRecord(b) && sameRecord(a, b);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  return sameBuiltIn(a, b);
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sameRecord(a: object, b: object): boolean {
  // reason: plain objects; every property is compared as unknown.
  const left = a as Readonly<Record<string, unknown>>;
  // reason: as above.
  const right = b as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(left)) if (!sameValue(left[key], right[key])) return false;
  for (const key of Object.keys(right)) {
    if (right[key] !== undefined && left[key] === undefined) return false;
  }
  return true;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false;
  return true;
}

function sameBuiltIn(a: object, b: object): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  if (a instanceof Map && b instanceof Map) {
    return sameItems([...a.keys()], [...b.keys()]) && sameItems([...a.values()], [...b.values()]);
  }
  if (a instanceof Set && b instanceof Set) return sameItems([...a], [...b]);
  return false;
}
