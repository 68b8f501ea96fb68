/**
 * Rows are given out by reference, never copied. In development they are frozen, so that whoever
 * changes one hears of it at once instead of finding replicas that disagree.
 */

/**
 * Freezes plain objects and arrays through and through. The insides of `Date`, `Map` and `Set`
 * cannot be frozen.
 */
export function freezeValue<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) freezeValue(item);
  return value;
}
