/**
 * What the machines know of a table: where its rows' keys are, and where a row stands in each
 * index.
 */
import type { KeyText, Row } from '../protocol/index.js';
import { fieldText, indexKey, keyText, mustBeKey } from './key.js';
import { isInRange, isOutside } from './reader.js';
import type { Range } from './reader.js';
import type { AnySchema } from './schema.js';

export interface IndexShape {
  readonly name: string;
  readonly fields: readonly string[];
}

export interface TableShape {
  readonly name: string;
  /** The field that holds the primary key. */
  readonly key: string;
  readonly indexes: readonly IndexShape[];
  readonly schema: AnySchema | undefined;
  /** version of the app → makes a row of the version before into one of that (form.ts). */
  readonly steps: ReadonlyMap<number, (row: Row) => unknown>;
}

/** Anything that knows tables by name: an app. */
export interface Shapes {
  readonly shapes: ReadonlyMap<string, TableShape>;
}

/** Errors: `bad-key`. */
export const keyOfRow = (shape: TableShape, row: Row): KeyText => keyText(row[shape.key]);

/**
 * The row's place in that index, its primary key included: unique within the index. Never fails.
 */
export const placeOf = (index: IndexShape, row: Row, key: KeyText): KeyText =>
  indexKey(index.fields, row, key);

/**
 * The same if it lies in that range. Mostly it does not, and what it begins with tells that.
 */
export function placeWithin(
  index: IndexShape, range: Range, row: Row, key: KeyText,
): KeyText | undefined {
  if (isOutside(range, fieldText(row[index.fields[0] ?? '']))) return undefined;
  const place = placeOf(index, row, key);
  return isInRange(range, place) ? place : undefined;
}

/**
 * Whether both rows stand at the same place of the index; may say no where it would take longer to
 * find out.
 */
export function samePlace(index: IndexShape, a: Row, b: Row): boolean {
  for (const field of index.fields) if (a[field] !== b[field]) return false;
  return true;
}

/** What a row must fulfil before it is written here. Errors: `bad-key`. */
export function checkIndexed(shape: TableShape, row: Row): void {
  for (const { fields } of shape.indexes) {
    for (const field of fields) {
      const value = row[field];
      if (value !== undefined && value !== null) mustBeKey(value);
    }
  }
}
