/**
 * The ordered map under every table and index: from key texts to values. What a general B+ tree can
 * do besides (comparators, editors, any depth) costs weight in the page and time at every step, as
 * keys here are always compared by `<`. So this one has two levels: leaves of sorted keys, and the
 * list of the leaves with the lowest key that each may hold. A million keys are some ten thousand
 * leaves, and a leaf that joins their list moves so many pointers, once per 64 inserts.
 * Clones share leaves until one side writes (copy on write, as in Rodeh, "B-trees, shadowing, and
 * clones", 2008): a leaf belongs to the map whose token it bears.
 */
import type { KeyText } from '../protocol/index.js';
import type { Range } from './reader.js';

/** What would be a leaf, and is made one when somebody looks into it. */
export interface Sleeper<V> {
  readonly from: KeyText;
  /** Keys ascend strictly. */
  pairs(): Iterable<readonly [key: KeyText, value: V]>;
  /**
   * Those whose field may lie in the range, and perhaps others, in any order; undefined where that
   * takes a look at all. A value that was given once is given again, by `pairs`, too.
   */
  within(field: string, range: Range): Iterable<readonly [key: KeyText, value: V]> | undefined;
}

export interface Leaf<V> {
  readonly owner: object;
  /** Ascending strictly. */
  readonly keys: KeyText[];
  readonly values: V[];
  /** Set: keys and values are still to come out of it. */
  asleep?: Sleeper<V> | undefined;
}

const LEAF_MAX = 128;
/** Room in leaves that are loaded, or joined: the next insert need not split them. */
const LEAF_FILL = 96;
const LEAF_MIN = 32;

export class OrderedMap<V> {
  /** `#leaves[i]` holds the keys from `#lows[i]` up to `#lows[i + 1]`; `#lows[0]` is below all. */
  #lows: KeyText[] = [''];
  #leaves: Leaf<V>[];
  #owner: object = {};
  /** The two lists are also those of a clone. */
  #isShared = false;

  constructor() {
    this.#leaves = [{ owner: this.#owner, keys: [], values: [] }];
  }

  /** `keys` ascend strictly. */
  static load<V>(keys: readonly KeyText[], values: readonly V[]): OrderedMap<V> {
    const map = new OrderedMap<V>();
    const owner = map.#owner;
    for (let i = 0; i < keys.length; i += LEAF_FILL) {
      const end = i + LEAF_FILL;
      const leaf = { owner, keys: keys.slice(i, end), values: values.slice(i, end) };
      map.#leaves[i / LEAF_FILL] = leaf;
      if (i > 0) map.#lows.push(at(keys, i));
    }
    return map;
  }

  /** In key order. The first one may hold keys below its `from`, too. */
  static asleep<V>(sleepers: readonly Sleeper<V>[]): OrderedMap<V> {
    const map = new OrderedMap<V>();
    const owner = map.#owner;
    sleepers.forEach((asleep, i) => {
      map.#leaves[i] = { owner, keys: [], values: [], asleep };
      if (i > 0) map.#lows.push(asleep.from);
    });
    return map;
  }

  /** All, in order; `pairsOf` looks into one. */
  get leaves(): readonly Leaf<V>[] {
    return this.#leaves;
  }

  /** Looks into all. */
  get size(): number {
    return this.#leaves.reduce((size, leaf) => size + awake(leaf).keys.length, 0);
  }

  get(key: KeyText): V | undefined {
    const { keys, values } = this.#leaf(this.#leafOf(key));
    const place = firstAtOrAfter(keys, key);
    return keys[place] === key ? values[place] : undefined;
  }

  set(key: KeyText, value: V): void {
    const index = this.#leafOf(key);
    const { keys, values } = this.#toWrite(index);
    const place = firstAtOrAfter(keys, key);
    if (keys[place] === key) {
      values[place] = value;
      return;
    }
    if (place === keys.length) {
      keys.push(key);
      values.push(value);
    } else {
      keys.splice(place, 0, key);
      values.splice(place, 0, value);
    }
    if (keys.length <= LEAF_MAX) return;
    // Keys that come in order leave full leaves behind them.
    const isAppended = place === keys.length - 1 && index === this.#leaves.length - 1;
    this.#split(index, isAppended ? place : keys.length >> 1);
  }

  delete(key: KeyText): void {
    const index = this.#leafOf(key);
    const { keys: there } = this.#leaf(index);
    const place = firstAtOrAfter(there, key);
    if (there[place] !== key) return;
    const { keys, values } = this.#toWrite(index);
    keys.splice(place, 1);
    values.splice(place, 1);
    if (keys.length < LEAF_MIN) this.#maybeJoin(Math.max(0, index - 1));
  }

  /** Lists and leaves are shared until one side writes. */
  clone(): OrderedMap<V> {
    const copy = new OrderedMap<V>();
    copy.#lows = this.#lows;
    copy.#leaves = this.#leaves;
    copy.#isShared = this.#isShared = true;
    this.#owner = {};
    return copy;
  }

  /** From ≤ key < to, from either end. The map must not change while the cursor is in use. */
  cursor(from: KeyText, to: KeyText | undefined, reverse = false): MapCursor<V> {
    const last = this.#leaves.length - 1;
    const first = reverse ? (to === undefined ? last : this.#leafOf(to)) : this.#leafOf(from);
    return new MapCursor(this.#leaves, first, { from, to, reverse });
  }

  #leaf(index: number): Leaf<V> {
    return awake(at(this.#leaves, index));
  }

  #leafOf(key: KeyText): number {
    const lows = this.#lows;
    let low = 0;
    let high = lows.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (at(lows, middle) <= key) low = middle;
      else high = middle;
    }
    return low;
  }

  #toWrite(index: number): Leaf<V> {
    if (this.#isShared) {
      this.#lows = this.#lows.slice();
      this.#leaves = this.#leaves.slice();
      this.#isShared = false;
    }
    const leaf = this.#leaf(index);
    const owner = this.#owner;
    if (leaf.owner === owner) return leaf;
    return (this.#leaves[index] = { owner, keys: leaf.keys.slice(), values: leaf.values.slice() });
  }

  #split(index: number, place: number): void {
    const { owner, keys, values } = at(this.#leaves, index);
    const upper = { owner, keys: keys.splice(place), values: values.splice(place) };
    this.#lows.splice(index + 1, 0, at(upper.keys, 0));
    this.#leaves.splice(index + 1, 0, upper);
  }

  /** Two neighbours become one where they leave room. */
  #maybeJoin(index: number): void {
    if (index + 1 === this.#leaves.length) return;
    const upper = this.#leaf(index + 1);
    const { length } = this.#leaf(index).keys;
    if (length + upper.keys.length > LEAF_FILL) return;
    const { keys, values } = this.#toWrite(index);
    keys.push(...upper.keys);
    values.push(...upper.values);
    this.#lows.splice(index + 1, 1);
    this.#leaves.splice(index + 1, 1);
  }
}

interface Bounds {
  readonly from: KeyText;
  readonly to: KeyText | undefined;
  readonly reverse: boolean;
}

/** Bounds are searched for once per leaf: walking on within it compares no texts. */
export class MapCursor<V> {
  readonly #leaves: readonly Leaf<V>[];
  readonly #bounds: Bounds;
  #next: number;
  /** Of the leaf that it stands in: the next place, and the one after the last. */
  #leaf: Leaf<V> | undefined;
  #place = 0;
  #end = 0;
  key: KeyText = '';

  constructor(leaves: readonly Leaf<V>[], first: number, bounds: Bounds) {
    this.#leaves = leaves;
    this.#next = first;
    this.#bounds = bounds;
  }

  /** The next value, and `key` is its; undefined at the end. */
  next(): V | undefined {
    while (this.#place === this.#end) if (!this.#enter()) return undefined;
    const place = this.#place;
    this.#place += this.#bounds.reverse ? -1 : 1;
    // reason: it stands within the leaf.
    const { keys, values } = this.#leaf as Leaf<V>;
    this.key = at(keys, place);
    return values[place];
  }

  #enter(): boolean {
    const { from, to, reverse } = this.#bounds;
    const leaf = this.#leaves[this.#next];
    if (leaf === undefined) return false;
    const { keys } = awake(leaf);
    const { length } = keys;
    const low = length > 0 && at(keys, 0) >= from ? 0 : firstAtOrAfter(keys, from);
    const isWhole = to === undefined || (length > 0 && at(keys, length - 1) < to);
    const high = Math.max(low, isWhole ? length : firstAtOrAfter(keys, to));
    const isLast = reverse ? low > 0 : high < length;
    this.#leaf = leaf;
    this.#place = reverse ? high - 1 : low;
    this.#end = reverse ? low - 1 : high;
    this.#next = isLast ? -1 : this.#next + (reverse ? -1 : 1);
    return true;
  }
}

/** In its place: clones that share it have it, too. */
function awake<V>(leaf: Leaf<V>): Leaf<V> {
  const { asleep, keys, values } = leaf;
  if (asleep === undefined) return leaf;
  leaf.asleep = undefined;
  for (const [key, value] of asleep.pairs()) {
    keys.push(key);
    values.push(value);
  }
  return leaf;
}

export function pairsOf<V>(leaf: Leaf<V>): (readonly [key: KeyText, value: V])[] {
  const { keys, values } = awake(leaf);
  return values.map((value, i) => [at(keys, i), value]);
}

/** The index of the first one that does not sort below `key`; it is looked for from…to. */
export function firstAtOrAfter(
  keys: readonly KeyText[], key: KeyText, from = 0, to = keys.length,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(keys, middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For places that are known to be there: a check of each would cost more than what is done. */
// reason: see above.
const at = <T>(list: readonly T[], place: number): T => list[place] as T;
