/** A range of an index, refined step by step, read only when asked for rows. */
import { OxbowError } from '../protocol/index.js';
import type { KeyText, Row, Value } from '../protocol/index.js';
import { afterPrefix, prefixText } from './key.js';
import { ScanRun } from './scan-run.js';
import type { ScanBounds } from './scan-run.js';
import type { TablePart } from './table-part.js';

const ALL: ScanBounds = { from: '', to: undefined, reverse: false, limit: Infinity };

export interface ScanIndex {
  readonly name: string;
  /** Most parts of a prefix: the index's fields and the primary key. */
  readonly parts: number;
}

export class Scan implements Iterable<Row> {
  readonly #part: TablePart;
  readonly #index: ScanIndex;
  readonly #bounds: ScanBounds;

  constructor(part: TablePart, index: ScanIndex, bounds: ScanBounds = ALL) {
    this.#part = part;
    this.#index = index;
    this.#bounds = bounds;
  }

  get(...parts: readonly Value[]): Scan {
    const prefix = this.#prefix(parts);
    return parts.length === 0 ? this : this.#narrow(prefix, afterPrefix(prefix));
  }

  between(low: readonly Value[], high: readonly Value[]): Scan {
    return this.#narrow(this.#prefix(low), this.#prefix(high));
  }

  from(low: readonly Value[]): Scan {
    return this.#narrow(this.#prefix(low), undefined);
  }

  before(high: readonly Value[]): Scan {
    return this.#narrow('', this.#prefix(high));
  }

  reverse(): Scan {
    return this.#with({ ...this.#bounds, reverse: !this.#bounds.reverse });
  }

  limit(rows: number): Scan {
    if (!(rows >= 0)) throw new OxbowError('bad-query', `A limit is a count of rows: found ${rows}.`);
    return this.#with({ ...this.#bounds, limit: Math.min(rows, this.#bounds.limit) });
  }

  all(): Row[] {
    const rows: Row[] = [];
    const run = this.#run();
    for (let hit = run.next(); hit !== undefined; hit = run.next()) rows.push(hit.row);
    return rows;
  }

  first(): Row | undefined {
    return this.#run().next()?.row;
  }

  none(): boolean {
    return this.#run().next() === undefined;
  }

  count(): number {
    let rows = 0;
    const run = this.#run();
    while (run.next() !== undefined) rows += 1;
    return rows;
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return new RowIterator(this.#run());
  }

  #run(): ScanRun {
    return new ScanRun(this.#part, this.#index.name, this.#bounds);
  }

  #prefix(parts: readonly Value[]): KeyText {
    if (parts.length <= this.#index.parts) return prefixText(parts);
    throw new OxbowError(
      'bad-query',
      `Too many parts for index '${this.#index.name}': found ${parts.length}, ` +
        `at most ${this.#index.parts}, its fields and the key.`,
    );
  }

  #narrow(from: KeyText, to: KeyText | undefined): Scan {
    const { from: oldFrom, to: oldTo, reverse, limit } = this.#bounds;
    return this.#with({
      from: from > oldFrom ? from : oldFrom,
      to: to === undefined || (oldTo !== undefined && oldTo < to) ? oldTo : to,
      reverse,
      limit,
    });
  }

  #with(bounds: ScanBounds): Scan {
    return new Scan(this.#part, this.#index, bounds);
  }
}

class RowIterator implements IterableIterator<Row> {
  #run: ScanRun | undefined;

  constructor(run: ScanRun) {
    this.#run = run;
  }

  next(): IteratorResult<Row, undefined> {
    const hit = this.#run?.next();
    return hit === undefined ? { done: true, value: undefined } : { done: false, value: hit.row };
  }

  return(): IteratorResult<Row, undefined> {
    this.#run = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this;
  }
}
