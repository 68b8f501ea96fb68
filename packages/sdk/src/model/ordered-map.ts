/**
 * The B+ tree under every table, from `sorted-btree`: ordered by key text, cloned in O(1), shared
 * until written. The package is CommonJS with an ES default, which Node hands over as `{ default }`
 * and some bundlers as the class itself: this file is the one place that knows.
 */
import imported from 'sorted-btree';
import { bulkLoad } from 'sorted-btree/extended/bulkLoad.js';
import type { KeyText } from '../protocol/index.js';

export type OrderedMap<V> = imported.default<KeyText, V>;

// reason: under a bundler that unwraps defaults the import is the class, whatever its types say.
const BTree = (imported.default ?? imported) as typeof imported.default;

/** Of 8 to 256: larger ones put a little faster, but every write after a clone copies more. */
const NODE_SIZE = 32;

export const newOrderedMap = <V>(): OrderedMap<V> =>
  new BTree<KeyText, V>(undefined, compareTexts, NODE_SIZE);

/** `keys` ascend strictly. Several times faster than one `set` after the other. */
export const loadOrderedMap = <V>(keys: KeyText[], values: V[]): OrderedMap<V> =>
  bulkLoad(keys, values, NODE_SIZE, compareTexts);

export function compareTexts(a: KeyText, b: KeyText): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
