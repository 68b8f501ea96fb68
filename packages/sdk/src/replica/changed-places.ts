/**
 * Where a changed row stood and stands, by index. Every mutation asks it once for each range that a
 * live query has read, and mostly no range is met: then it costs no more than a comparison with
 * what the places begin with. One object serves all changes, as making it anew would be a good part
 * of what a mutation costs.
 */
import { fieldText, isInRange, isOutside, PRIMARY } from '../model/index.js';
import type { RangeRead, Shapes } from '../model/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import { placeIn } from './place.js';
import type { RowChange } from './rebase.js';

export class ChangedPlaces {
  readonly #before: RowPlaces;
  readonly #now: RowPlaces;
  #table = '';

  constructor(shapes: Shapes) {
    this.#before = new RowPlaces(shapes);
    this.#now = new RowPlaces(shapes);
  }

  of({ table, key, before, now }: RowChange): void {
    this.#table = table;
    this.#before.of(before, key);
    this.#now.of(now, key);
  }

  meet(range: RangeRead): boolean {
    return range.table === this.#table && (this.#now.isIn(range) || this.#before.isIn(range));
  }
}

/** Many queries look at the same index: what was found for one is kept for the next. */
class RowPlaces {
  readonly #shapes: Shapes;
  #row: Row | undefined;
  #key: KeyText = '';
  // Parallel: what the row's place begins with, and the place itself once it was needed.
  readonly #indexes: string[] = [];
  readonly #starts: KeyText[] = [];
  readonly #places: (KeyText | undefined)[] = [];

  constructor(shapes: Shapes) {
    this.#shapes = shapes;
  }

  of(row: Row | undefined, key: KeyText): void {
    this.#row = row;
    this.#key = key;
    this.#indexes.length = 0;
  }

  isIn(range: RangeRead): boolean {
    const row = this.#row;
    if (row === undefined) return false;
    if (range.index === PRIMARY) return isInRange(range, this.#key);
    let at = this.#indexes.indexOf(range.index);
    if (at < 0) at = this.#begin(range, row);
    if (isOutside(range, this.#starts[at] ?? '')) return false;
    const place = (this.#places[at] ??= placeIn(this.#shapes, range, row, this.#key));
    return isInRange(range, place);
  }

  #begin({ table, index }: RangeRead, row: Row): number {
    const indexes = this.#shapes.shapes.get(table)?.indexes ?? [];
    const field = indexes.find(({ name }) => name === index)?.fields[0];
    const at = this.#indexes.push(index) - 1;
    this.#starts[at] = field === undefined ? '' : fieldText(row[field]);
    this.#places[at] = undefined;
    return at;
  }
}
