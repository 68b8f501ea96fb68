/**
 * What an execution reads from, and the record of what it read. The committed base, the overlay at
 * a position of the tentative log, and the server's actor state all answer as a `Reader`; a
 * transaction lays its own writes over one. Kung and Robinson 1981: validation compares read sets
 * with write sets.
 */
import type { KeyText, Row } from '../protocol/index.js';

/** Bounds are index keys as text, half-open: from ≤ key < to. `to` undefined: no upper bound. */
export interface Range {
  readonly from: KeyText;
  readonly to: KeyText | undefined;
}

export const isInRange = ({ from, to }: Range, place: KeyText): boolean =>
  place >= from && (to === undefined || place < to);

/** No longer place that begins with that text is in the range: most rows are put aside by it. */
export const isOutside = ({ from, to }: Range, start: KeyText): boolean =>
  (start < from && !from.startsWith(start)) || (to !== undefined && start >= to);

/** The primary order of a table, where an index name is expected. */
export const PRIMARY = '';

/** One row met in an index: its place in the index, its primary key, itself. */
export interface IndexHit {
  /**
   * Index key including the primary key as the last part: unique, and the place to continue from.
   */
  readonly place: KeyText;
  readonly key: KeyText;
  readonly row: Row;
}

export interface Reader {
  row(table: string, key: KeyText): Row | undefined;
  /** Hits in index order (descending if `reverse`), lazily: stopping early costs nothing. */
  scan(table: string, index: string, range: Range, reverse: boolean): Iterable<IndexHit>;
}

export interface RangeRead extends Range {
  readonly table: string;
  readonly index: string;
}

/** What an execution depended on. Ranges end where the iteration stopped. */
export interface ReadSet {
  /** table → keys read one by one (present or not). */
  readonly keys: ReadonlyMap<string, ReadonlySet<KeyText>>;
  readonly ranges: readonly RangeRead[];
}
