/**
 * The places of tentative rows in one index. Every version of a row has its place; which of them
 * counts depends on the reader's rank, so all are listed and the reader picks. Writing must be
 * cheap and most writes are never scanned: a write only notes the row in its table's journal, and
 * the next scan brings the list up to date.
 */
import { placeOf, samePlace } from '../model/index.js';
import type { IndexHit, IndexShape, Range } from '../model/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import { SortedPlaces } from './sorted-places.js';
import type { PlaceCursor } from './sorted-places.js';
import { versionBelow } from './version.js';
import type { TentativeRow } from './version.js';

/**
 * The rows of a table that were changed, in the order of their changes; each order has read it up
 * to its own point.
 */
export type Journal = readonly TentativeRow[];

/** One version at its place, ready to be given to a reader that sees it. */
interface Spot extends IndexHit {
  readonly of: TentativeRow;
}

export class PlaceOrder {
  /** Undefined: the primary order, where a row's place is its key. */
  readonly #shape: IndexShape | undefined;
  readonly #rows: ReadonlyMap<KeyText, TentativeRow>;
  readonly #spots: SortedPlaces<Spot>;
  /** Changes in the table's journal that are in `#spots`. */
  read = 0;

  constructor(shape: IndexShape | undefined, rows: ReadonlyMap<KeyText, TentativeRow>) {
    this.#shape = shape;
    this.#rows = rows;
    this.#spots = new SortedPlaces(({ of, place }) => this.#hasPlace(of, place));
    for (const row of rows.values()) this.#list(row);
  }

  /** Before a scan. */
  catchUp(journal: Journal): void {
    for (; this.read < journal.length; this.read++) {
      const row = journal[this.read];
      if (row !== undefined) this.#list(row);
    }
  }

  /** Hits that a reader at that rank sees. The overlay must not change while the scan is in use. */
  scan(range: Range, reverse: boolean, rank: number): Iterator<IndexHit, undefined> {
    return new VisibleHits(this, this.#spots.scan(range, reverse, this.#rows.size), rank);
  }

  placeOf(row: Row, key: KeyText): KeyText {
    return this.#shape === undefined ? key : placeOf(this.#shape, row, key);
  }

  /**
   * From the newest version down, each place mostly once; a place that is listed already does no
   * harm.
   */
  #list(of: TentativeRow): void {
    const { versions, key } = of;
    let above: Row | null = null;
    for (let i = versions.length - 1; i >= 0; i--) {
      const row = versions[i]?.row;
      if (!row || (above !== null && this.#isSamePlace(row, above))) continue;
      const place = this.placeOf(row, key);
      this.#spots.add({ place, key, row, of });
      above = row;
    }
  }

  #isSamePlace(a: Row, b: Row): boolean {
    return this.#shape === undefined || samePlace(this.#shape, a, b);
  }

  #hasPlace({ versions, key }: TentativeRow, place: KeyText): boolean {
    return versions.some(({ row }) => row !== null && this.placeOf(row, key) === place);
  }
}

class VisibleHits implements Iterator<IndexHit, undefined> {
  readonly #order: PlaceOrder;
  readonly #cursor: PlaceCursor<Spot>;
  readonly #rank: number;

  constructor(order: PlaceOrder, cursor: PlaceCursor<Spot>, rank: number) {
    this.#order = order;
    this.#cursor = cursor;
    this.#rank = rank;
  }

  next(): IteratorResult<IndexHit, undefined> {
    const cursor = this.#cursor;
    while (cursor.advance()) {
      const spot = cursor.item;
      const row = spot === undefined ? undefined : versionBelow(spot.of.versions, this.#rank)?.row;
      if (spot === undefined || !row) continue;
      if (row === spot.row) return { done: false, value: spot };
      // Another version counts for this reader: it may stand here too, or elsewhere.
      const { place, key } = spot;
      if (this.#order.placeOf(row, key) !== place) continue;
      return { done: false, value: { place, key, row } };
    }
    return { done: true, value: undefined };
  }
}
