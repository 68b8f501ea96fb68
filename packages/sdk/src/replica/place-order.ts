/**
 * The places of tentative rows in one index. Every version of a row has its place; which of them counts depends on the
 * reader's rank, so all are listed and the reader picks. Writing must be cheap and most writes are
 * never scanned: a write only notes the row in its table's journal, and the next scan brings the list up to date.
 */
import type { IndexHit, IndexShape, OrderedMap, Range } from '../model/index.js';
import { newOrderedMap, placeOf } from '../model/index.js';
import type { KeyText } from '../protocol/index.js';
import { versionBelow } from './version.js';
import type { Listed, TentativeRow, Version } from './version.js';

/** The rows of a table that were changed, in the order of their changes; each order has read it up to its own point. */
export type Journal = readonly TentativeRow[];

export class PlaceOrder {
  /** Undefined: the primary order, where a row's place is its key. */
  readonly #shape: IndexShape | undefined;
  /** Among the orders that the table can have. */
  readonly #number: number;
  readonly #rows: OrderedMap<TentativeRow> = newOrderedMap<TentativeRow>();
  /** Changes in the table's journal that are in `#rows`. */
  read = 0;

  constructor(shape: IndexShape | undefined, number: number, rows: Iterable<TentativeRow>) {
    this.#shape = shape;
    this.#number = number;
    for (const row of rows) {
      row.listed[number] = undefined;
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
    return new VisibleHits({ rows: this.#rows, order: this, rank }, range, reverse);
  }

  /** Of a version with a row; the same object each time. */
  hitOf(version: Version, key: KeyText): IndexHit | undefined {
    const known = version.hits?.[this.#number];
    if (known !== undefined) return known;
    const { row } = version;
    if (row === null) return undefined;
    const place = this.#shape === undefined ? key : placeOf(this.#shape, row, key);
    const hit = { place, key, row };
    version.hits ??= [];
    version.hits[this.#number] = hit;
    return hit;
  }

  #list(row: TentativeRow): void {
    const before = row.listed[this.#number];
    const after = this.#placesOf(row);
    if (before === after) return;
    for (const place of each(before)) if (!isAmong(place, after)) this.#rows.delete(place);
    for (const place of each(after)) if (!isAmong(place, before)) this.#rows.set(place, row);
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

function each(listed: Listed): readonly KeyText[] {
  if (listed === undefined) return [];
  return typeof listed === 'string' ? [listed] : listed;
}

const isAmong = (place: KeyText, listed: Listed): boolean =>
  typeof listed === 'string' ? listed === place : listed?.includes(place) === true;

interface Visible {
  readonly rows: OrderedMap<TentativeRow>;
  readonly order: PlaceOrder;
  readonly rank: number;
}

class VisibleHits implements Iterator<IndexHit, undefined> {
  readonly #visible: Visible;
  readonly #pairs: Iterator<[KeyText, TentativeRow]>;
  readonly #range: Range;
  readonly #reverse: boolean;

  constructor(visible: Visible, range: Range, reverse: boolean) {
    this.#visible = visible;
    this.#range = range;
    this.#reverse = reverse;
    // reason: the tree writes place and row into it before it is read; so no array is made per row.
    const pair = [] as unknown as [KeyText, TentativeRow];
    this.#pairs = reverse
      ? visible.rows.entriesReversed(range.to, pair, true)
      : visible.rows.entries(range.from, pair);
  }

  next(): IteratorResult<IndexHit, undefined> {
    const { order, rank } = this.#visible;
    for (;;) {
      const pair = this.#pairs.next();
      if (pair.done === true || this.#isBeyond(pair.value[0])) {
        return { done: true, value: undefined };
      }
      const [place, { versions, key }] = pair.value;
      const version = versionBelow(versions, rank);
      const hit = version === undefined ? undefined : order.hitOf(version, key);
      // It may be listed here for another version.
      if (hit?.place === place) return { done: false, value: hit };
    }
  }

  #isBeyond(place: KeyText): boolean {
    const { from, to } = this.#range;
    return this.#reverse ? place < from : to !== undefined && place >= to;
  }
}
