/** Where a row stands in an index that is named in a read set. */
import { isInRange, placeOf, PRIMARY } from '../model/index.js';
import type { RangeRead, Shapes } from '../model/index.js';
import type { KeyText, Row } from '../protocol/index.js';

/** Its key, in the primary order. */
export function placeIn(
  shapes: Shapes, { table, index }: Pick<RangeRead, 'table' | 'index'>, row: Row, key: KeyText,
): KeyText {
  if (index === PRIMARY) return key;
  const indexes = shapes.shapes.get(table)?.indexes ?? [];
  for (const shape of indexes) if (shape.name === index) return placeOf(shape, row, key);
  return key;
}

/** Whether that range of the row's table holds the row. */
export function isWithin(
  shapes: Shapes, range: RangeRead, row: Row | null | undefined, key: KeyText,
): boolean {
  return row ? isInRange(range, placeIn(shapes, range, row, key)) : false;
}
