/** One iteration over an index range: rows from below and own writes, merged in index order. */
import type { IndexHit, Range, RangeRead } from './reader.js';
import { afterPlace } from './key.js';
import type { KeyText } from '../protocol/index.js';
import type { Ordered, TablePart } from './table-part.js';
import type { RangeSource, Transaction } from './transaction.js';

export interface ScanBounds extends Range {
  readonly reverse: boolean;
  /** Most rows given, counted from the end where the iteration begins. */
  readonly limit: number;
}

const NOTHING: Iterator<IndexHit, undefined> = { next: () => ({ done: true, value: undefined }) };

/**
 * Sees the writes made before it began. The range that it reports as read ends at the last row
 * given, or at the bound when it found nothing more; an own row at its end is not part of it.
 */
export class ScanRun implements RangeSource {
  readonly #transaction: Transaction;
  readonly #table: string;
  readonly #index: string;
  readonly #bounds: ScanBounds;
  readonly #below: Iterator<IndexHit>;
  readonly #own: Iterator<IndexHit, undefined>;
  readonly #hidden: Ordered['hidden'] | undefined;
  #nextBelow: IndexHit | undefined;
  #nextOwn: IndexHit | undefined;
  #begun = false;
  #left: number;
  #last: KeyText | undefined;
  #lastIsOwn = false;
  #exhausted = false;

  constructor(part: TablePart, index: string, bounds: ScanBounds) {
    const { transaction, shape } = part;
    transaction.step();
    this.#transaction = transaction;
    this.#table = shape.name;
    this.#index = index;
    this.#bounds = bounds;
    this.#left = bounds.limit;
    const own = part.ownRows();
    this.#hidden = own?.hidden;
    this.#own = own?.rows.scan(index, bounds, bounds.reverse) ?? NOTHING;
    const below = transaction.reader.scan(shape.name, index, bounds, bounds.reverse);
    this.#below = below[Symbol.iterator]();
    transaction.readRange(this);
  }

  next(): IndexHit | undefined {
    if (this.#left <= 0 || this.#exhausted) return undefined;
    this.#transaction.step();
    if (!this.#begun) this.#begin();
    const below = this.#nextBelow;
    const own = this.#nextOwn;
    if (below !== undefined && (own === undefined || this.#isFirst(below, own))) {
      this.#nextBelow = this.#pullBelow();
      return this.#give(below, false);
    }
    if (own !== undefined) {
      this.#nextOwn = this.#own.next().value;
      return this.#give(own, true);
    }
    this.#exhausted = true;
    return undefined;
  }

  range(): RangeRead | undefined {
    const { from, to, reverse } = this.#bounds;
    if (this.#exhausted) return this.#read(from, to);
    const last = this.#last;
    if (last === undefined) return undefined;
    // An own row hides what is below at its place: the range stops short of it.
    if (reverse) return this.#read(this.#lastIsOwn ? afterPlace(last) : last, to);
    return this.#read(from, this.#lastIsOwn ? last : afterPlace(last));
  }

  #begin(): void {
    this.#begun = true;
    this.#nextBelow = this.#pullBelow();
    this.#nextOwn = this.#own.next().value;
  }

  #pullBelow(): IndexHit | undefined {
    for (;;) {
      const result = this.#below.next();
      if (result.done === true) return undefined;
      if (this.#hidden?.get(result.value.key) !== true) return result.value;
    }
  }

  #isFirst(a: IndexHit, b: IndexHit): boolean {
    return this.#bounds.reverse ? a.place > b.place : a.place < b.place;
  }

  #give(hit: IndexHit, isOwn: boolean): IndexHit {
    this.#left -= 1;
    this.#last = hit.place;
    this.#lastIsOwn = isOwn;
    return hit;
  }

  #read(from: KeyText, to: KeyText | undefined): RangeRead | undefined {
    if (to !== undefined && from >= to) return undefined;
    return { table: this.#table, index: this.#index, from, to };
  }
}
