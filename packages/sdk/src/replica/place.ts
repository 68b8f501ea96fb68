/** Where a row stands in an index that is named in a read set. */
import { isInRange, placeOf, placeWithin, PRIMARY } from '../model/index.js';
import type { IndexShape, RangeRead, Shapes } from '../model/index.js';
import type { KeyText, Row } from '../protocol/index.js';

/** Its key, in the primary order. */
export function placeIn(
  shapes: Shapes, range: Pick<RangeRead, 'table' | 'index'>, row: Row, key: KeyText,
): KeyText {
  const shape = shapeOf(shapes, range);
  return shape === undefined ? key : placeOf(shape, row, key);
}

/** Whether that range of the row's table holds the row. */
export function isWithin(
  shapes: Shapes, range: RangeRead, row: Row | null | undefined, key: KeyText,
): boolean {
  if (!row) return false;
  const shape = shapeOf(shapes, range);
  if (shape === undefined) return isInRange(range, key);
  return placeWithin(shape, range, row, key) !== undefined;
}

function shapeOf(
  { shapes }: Shapes, { table, index }: Pick<RangeRead, 'table' | 'index'>,
): IndexShape | undefined {
  if (index === PRIMARY) return undefined;
  for (const shape of shapes.get(table)?.indexes ?? []) if (shape.name === index) return shape;
  return undefined;
}
