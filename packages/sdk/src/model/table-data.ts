/** One table in memory: its rows by key, and for each index a tree of hits by place. */
import { invariant, OxbowError } from '../protocol/index.js';
import type { KeyText, PageRow, Row } from '../protocol/index.js';
import { OrderedMap, pairsOf } from './ordered-map.js';
import type { MapCursor, Sleeper } from './ordered-map.js';
import { PRIMARY } from './reader.js';
import type { IndexHit, Range } from './reader.js';
import { placeOf, placeWithin, samePlace } from './table-shape.js';
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
  readonly #rows: OrderedMap<Row>;
  readonly #indexes: readonly IndexTree[];

  private constructor(rows: OrderedMap<Row>, indexes: readonly IndexTree[]) {
    this.#rows = rows;
    this.#indexes = indexes;
  }

  static empty(indexes: readonly IndexShape[]): TableData {
    const trees = indexes.map((shape) => ({ shape, hits: new OrderedMap<IndexHit>(), looks: 0 }));
    return new TableData(new OrderedMap<Row>(), trees);
  }

  get size(): number {
    return this.#rows.size;
  }

  row(key: KeyText): Row | undefined {
    return this.#rows.get(key);
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
    indexes: readonly IndexShape[], entries: Iterable<PageRow>,
  ): TableData {
    const keys: KeyText[] = [];
    const rows: Row[] = [];
    for (const [key, row] of entries) {
      invariant(keys.length === 0 || key > (keys.at(-1) ?? ''), 'rows are loaded in key order');
      keys.push(key);
      rows.push(row);
    }
    return TableData.#of(indexes, OrderedMap.load(keys, rows));
  }

  /** The same of rows that nobody has asked for yet. */
  static asleep(
    indexes: readonly IndexShape[], pages: readonly Sleeper<Row>[],
  ): TableData {
    return TableData.#of(indexes, OrderedMap.asleep(pages));
  }

  static #of(indexes: readonly IndexShape[], rows: OrderedMap<Row>): TableData {
    return new TableData(rows, indexes.map((shape) => ({ shape, hits: undefined, looks: 0 })));
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
    if (index === PRIMARY) return new TreeScan(this.#rows.cursor(from, to, reverse), rowHit);
    const tree = this.#indexes.find(({ shape }) => shape.name === index);
    if (tree === undefined) throw new OxbowError('bad-query', `There is no index '${index}'.`);
    if (tree.hits === undefined && to !== undefined && tree.looks < LOOKS_MAX) {
      tree.looks += 1;
      const hits = loadHits(tree.shape, this.#rows, range);
      return (reverse ? hits.reverse() : hits).values();
    }
    tree.hits ??= sortedHits(tree.shape, this.#rows);
    return new TreeScan(tree.hits.cursor(from, to, reverse), itself);
  }

  /** All rows in key order. */
  *entries(): Generator<[key: KeyText, row: Row], void, undefined> {
    for (const { key, row } of this.scan(PRIMARY, ALL, false)) yield [key, row];
  }
}

const ALL: Range = { from: '', to: undefined };

/** To look at all rows for a range takes a fifth of sorting them; worth it a few times. */
const LOOKS_MAX = 3;

function sortedHits(shape: IndexShape, rows: OrderedMap<Row>): OrderedMap<IndexHit> {
  const hits = loadHits(shape, rows, ALL);
  return OrderedMap.load(hits.map(({ place }) => place), hits);
}

/** Those within the range, in order. */
function loadHits(shape: IndexShape, rows: OrderedMap<Row>, range: Range): IndexHit[] {
  const hits: IndexHit[] = [];
  const [field = ''] = shape.fields;
  for (const leaf of rows.leaves) {
    for (const [key, row] of leaf.asleep?.within(field, range) ?? pairsOf(leaf)) {
      const place = placeWithin(shape, range, row, key);
      if (place === undefined) continue;
      // Looking into a concatenation makes V8 flatten it now, which halves the time of the sort.
      place.charCodeAt(0);
      hits.push({ place, key, row });
    }
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

class TreeScan<V> implements IterableIterator<IndexHit> {
  readonly #cursor: MapCursor<V>;
  readonly #hitOf: (value: V, cursor: MapCursor<V>) => IndexHit;

  constructor(cursor: MapCursor<V>, hitOf: (value: V, cursor: MapCursor<V>) => IndexHit) {
    this.#cursor = cursor;
    this.#hitOf = hitOf;
  }

  next(): IteratorResult<IndexHit, undefined> {
    const value = this.#cursor.next();
    if (value === undefined) return { done: true, value: undefined };
    return { done: false, value: this.#hitOf(value, this.#cursor) };
  }

  [Symbol.iterator](): IterableIterator<IndexHit> {
    return this;
  }
}

const rowHit = (row: Row, { key }: MapCursor<Row>): IndexHit => ({ place: key, key, row });

const itself = (hit: IndexHit): IndexHit => hit;
