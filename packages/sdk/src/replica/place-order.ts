/**
 * The places of tentative rows in one index. Every version of a row has its place; which of them counts depends on the
 * reader's rank, so all are listed and the reader picks. Writing must be cheap and most writes are
 * never scanned: a write only notes the row in its table's journal, and the next scan brings the list up to date.
 */
import { placeOf } from '../model/index.js';
import type { IndexHit, IndexShape, Range } from '../model/index.js';
import type { KeyText } from '../protocol/index.js';
import { SortedPlaces } from './sorted-places.js';
import type { PlaceCursor } from './sorted-places.js';
import { versionBelow } from './version.js';
import type { Listed, TentativeRow, Version } from './version.js';

/** The rows of a table that were changed, in the order of their changes; each order has read it up to its own point. */
export type Journal = readonly TentativeRow[];

export class PlaceOrder {
  /** Undefined: the primary order, where a row's place is its key. */
  readonly #shape: IndexShape | undefined;
  /** Among the orders that the table can have. */
  readonly #number: number;
  readonly #places: SortedPlaces<TentativeRow>;
  /** Changes in the table's journal that are in `#places`. */
  read = 0;

  constructor(shape: IndexShape | undefined, number: number, rows: Iterable<TentativeRow>) {
    this.#shape = shape;
    this.#number = number;
    this.#places = new SortedPlaces((row, place) => isAmong(place, row.listed?.[number]));
    for (const row of rows) {
      if (row.listed !== undefined) row.listed[number] = undefined;
      this.#list(row);
    }
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
    return new VisibleHits(this, this.#places.scan(range, reverse), rank);
  }

  /** Of a version with a row; the same object each time. */
  hitOf(version: Version, key: KeyText): IndexHit | undefined {
    const known = version.hits?.[this.#number];
    if (known !== undefined) return known;
    const { row } = version;
    if (row === null) return undefined;
    const place = this.#shape === undefined ? key : placeOf(this.#shape, row, key);
    const hit = { place, key, row };
    version.hits ??= slots(this.#number);
    version.hits[this.#number] = hit;
    return hit;
  }

  #list(row: TentativeRow): void {
    const before = row.listed?.[this.#number];
    const after = this.#placesOf(row);
    if (before === after) return;
    for (const place of each(before)) if (!isAmong(place, after)) this.#places.removed();
    for (const place of each(after)) if (!isAmong(place, before)) this.#places.add(place, row);
    row.listed ??= slots(this.#number);
    row.listed[this.#number] = after;
  }

  /** Each place once. Versions that follow each other mostly stand at the same place. */
  #placesOf({ versions, key }: TentativeRow): Listed {
    let places: KeyText | KeyText[] | undefined;
    for (const version of versions) {
      const place = this.hitOf(version, key)?.place;
      if (place === undefined || isAmong(place, places)) continue;
      if (places === undefined) places = place;
      else if (typeof places === 'string') places = [places, place];
      else places.push(place);
    }
    return places;
  }
}

/** Room up to that number and no more: an empty array that grows takes seventeen places at once, for every row. */
const slots = <T>(number: number): (T | undefined)[] => new Array<T | undefined>(number + 1);

function each(listed: Listed): readonly KeyText[] {
  if (listed === undefined) return [];
  return typeof listed === 'string' ? [listed] : listed;
}

const isAmong = (place: KeyText, listed: Listed): boolean =>
  typeof listed === 'string' ? listed === place : listed?.includes(place) === true;

class VisibleHits implements Iterator<IndexHit, undefined> {
  readonly #order: PlaceOrder;
  readonly #cursor: PlaceCursor<TentativeRow>;
  readonly #rank: number;

  constructor(order: PlaceOrder, cursor: PlaceCursor<TentativeRow>, rank: number) {
    this.#order = order;
    this.#cursor = cursor;
    this.#rank = rank;
  }

  next(): IteratorResult<IndexHit, undefined> {
    const cursor = this.#cursor;
    while (cursor.advance()) {
      const { row, place } = cursor;
      const version = row === undefined ? undefined : versionBelow(row.versions, this.#rank);
      if (row === undefined || version === undefined) continue;
      const hit = this.#order.hitOf(version, row.key);
      // The row may be listed here for another version.
      if (hit?.place === place) return { done: false, value: hit };
    }
    return { done: true, value: undefined };
  }
}
