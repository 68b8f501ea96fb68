/** One table in memory: its rows by key, and for each index a tree of hits by place. */
import { invariant, OxbowError } from '../protocol/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import { OrderedMap } from './ordered-map.js';
import type { MapCursor } from './ordered-map.js';
import { PRIMARY } from './reader.js';
import { isInRange, isOutside } from './reader.js';
import type { IndexHit, Range } from './reader.js';
import { markOf, rowOf, textField } from './row-text.js';
import type { KeptPair, KeptRow } from './row-text.js';
import { fieldText } from './key.js';
import { placeOf, samePlace } from './table-shape.js';
import type { IndexShape } from './table-shape.js';

interface IndexTree {
  readonly shape: IndexShape;
  /**
   * One hit per row, by place; its row is the one in `#rows`. Undefined until somebody asks: a
   * start that sorted each index first would take twice as long, and many a page looks at one only.
   */
  hits: OrderedMap<IndexHit> | undefined;
  /** Ranges that were looked for among all rows instead. */
  looks: number;
}

export class TableData {
  readonly #rows: OrderedMap<KeptRow>;
  readonly #indexes: readonly IndexTree[];

  private constructor(rows: OrderedMap<KeptRow>, indexes: readonly IndexTree[]) {
    this.#rows = rows;
    this.#indexes = indexes;
  }

  static empty(indexes: readonly IndexShape[]): TableData {
    const trees = indexes.map((shape) => ({ shape, hits: new OrderedMap<IndexHit>(), looks: 0 }));
    return new TableData(new OrderedMap<KeptRow>(), trees);
  }

  get size(): number {
    return this.#rows.size;
  }

  row(key: KeyText): Row | undefined {
    const kept = this.#rows.get(key);
    if (typeof kept !== 'string') return kept;
    const cursor = this.#rows.cursor(key, undefined);
    return rowAt(cursor, cursor.next() ?? kept);
  }

  /** `old`: the row that stands there now. */
  put(key: KeyText, row: Row, old: Row | undefined): void {
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i++) {
      const index = indexes[i];
      if (index !== undefined) moveHit(index, key, old, row);
    }
    this.#rows.set(key, row);
  }

  /** `old`: as above. */
  delete(key: KeyText, old: Row | undefined): void {
    if (old === undefined) return;
    for (const { shape, hits } of this.#indexes) hits?.delete(placeOf(shape, old, key));
    this.#rows.delete(key);
  }

  /** A table of these rows, in ascending key order, in one go. */
  static load(
    indexes: readonly IndexShape[], entries: Iterable<KeptPair>,
  ): TableData {
    const keys: KeyText[] = [];
    const rows: KeptRow[] = [];
    for (const [key, row] of entries) {
      invariant(keys.length === 0 || key > (keys.at(-1) ?? ''), 'rows are loaded in key order');
      keys.push(key);
      rows.push(row);
    }
    const trees = indexes.map((shape) => ({ shape, hits: undefined, looks: 0 }));
    return new TableData(OrderedMap.load(keys, rows), trees);
  }

  /** O(1): trees are shared until one side writes. */
  clone(): TableData {
    const indexes = this.#indexes.map(({ shape, hits, looks }) =>
      ({ shape, hits: hits?.clone(), looks }));
    return new TableData(this.#rows.clone(), indexes);
  }

  /**
   * Lazy. The table must not change while the scan is in use. Errors: `bad-query` for an unknown
   * index.
   */
  scan(index: string, range: Range, reverse: boolean): IterableIterator<IndexHit> {
    const { from, to } = range;
    if (index === PRIMARY) return new RowScan(this.#rows.cursor(from, to, reverse));
    const tree = this.#indexes.find(({ shape }) => shape.name === index);
    if (tree === undefined) throw new OxbowError('bad-query', `There is no index '${index}'.`);
    if (tree.hits === undefined && to !== undefined && tree.looks < LOOKS_MAX) {
      tree.looks += 1;
      const hits = loadHits(tree.shape, this.#rows, range);
      return (reverse ? hits.reverse() : hits).values();
    }
    tree.hits ??= sortedHits(tree.shape, this.#rows);
    return new HitScan(tree.hits.cursor(from, to, reverse));
  }

  /** All rows in key order. */
  *entries(): Generator<[key: KeyText, row: Row], void, undefined> {
    const cursor = this.#rows.cursor('', undefined);
    for (let row = cursor.next(); row !== undefined; row = cursor.next()) {
      yield [cursor.key, rowAt(cursor, row)];
    }
  }
}

/** Made once, in its place: two readers get the same row. */
function rowAt(cursor: MapCursor<KeptRow>, kept: KeptRow): Row {
  if (typeof kept !== 'string') return kept;
  const row = rowOf(kept);
  cursor.recast(row);
  return row;
}

/** To look at all rows for a range takes a fifth of sorting them; worth it a few times. */
const LOOKS_MAX = 3;

function sortedHits(shape: IndexShape, rows: OrderedMap<KeptRow>): OrderedMap<IndexHit> {
  const hits = loadHits(shape, rows, { from: '', to: undefined });
  return OrderedMap.load(hits.map(({ place }) => place), hits);
}

/** Those within the range, in order. */
function loadHits(
  shape: IndexShape, rows: OrderedMap<KeptRow>, range: Range,
): IndexHit[] {
  const hits: IndexHit[] = [];
  const [field = ''] = shape.fields;
  const mark = markOf(field);
  const cursor = rows.cursor('', undefined);
  for (let kept = cursor.next(); kept !== undefined; kept = cursor.next()) {
    const { key } = cursor;
    const first = typeof kept === 'string' ? textField(kept, mark) : kept[field];
    if (typeof first === 'string' && isOutside(range, fieldText(first))) continue;
    const row = rowAt(cursor, kept);
    const place = placeOf(shape, row, key);
    // Looking into a concatenation makes V8 flatten it now, which halves the time of the sort.
    place.charCodeAt(0);
    if (isInRange(range, place)) hits.push({ place, key, row });
  }
  return hits.sort(byPlace);
}

const byPlace = (a: IndexHit, b: IndexHit): number => (a.place < b.place ? -1 : 1);

function moveHit(index: IndexTree, key: KeyText, old: Row | undefined, row: Row): void {
  const { shape, hits } = index;
  if (hits === undefined) return;
  const place = placeOf(shape, row, key);
  if (old !== undefined && !samePlace(shape, old, row)) hits.delete(placeOf(shape, old, key));
  hits.set(place, { place, key, row });
}

/** One end of iteration for all scans. */
abstract class TreeScan<V> implements IterableIterator<IndexHit> {
  protected readonly cursor: MapCursor<V>;

  constructor(cursor: MapCursor<V>) {
    this.cursor = cursor;
  }

  next(): IteratorResult<IndexHit, undefined> {
    const value = this.cursor.next();
    if (value === undefined) return { done: true, value: undefined };
    return { done: false, value: this.hit(this.cursor.key, value) };
  }

  [Symbol.iterator](): IterableIterator<IndexHit> {
    return this;
  }

  protected abstract hit(place: KeyText, value: V): IndexHit;
}

class RowScan extends TreeScan<KeptRow> {
  protected override hit(place: KeyText, kept: KeptRow): IndexHit {
    return { place, key: place, row: rowAt(this.cursor, kept) };
  }
}

class HitScan extends TreeScan<IndexHit> {
  protected override hit(_place: KeyText, hit: IndexHit): IndexHit {
    return hit;
  }
}
