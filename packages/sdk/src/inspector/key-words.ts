/**
 * Keys and ranges as people read them. In memory a key is a text made to be sorted (model/key.ts):
 * dates and numbers in it are illegible, and an index joins several of them.
 */
import { keyValue } from '../model/index.js';
import type { RangeRead, ReadSet } from '../model/index.js';
import type { KeyText } from '../protocol/index.js';

const SEPARATOR = '\u0000';
/** Ends a range of all that begin with the same parts. */
const BEHIND_SEPARATOR = '\u0001';

/** What one execution has read. */
export interface ReadWords {
  readonly keys: readonly { readonly table: string; readonly key: string }[];
  readonly ranges: readonly {
    readonly table: string;
    /** Empty: in the order of the keys. */
    readonly index: string;
    readonly range: string;
  }[];
}

/** The key, or the joined parts of one. */
export function keyWords(text: KeyText): string {
  return text.split(SEPARATOR).filter((part) => part !== '').map(partWords).join(', ');
}

export function rangeWords({ from, to }: Pick<RangeRead, 'from' | 'to'>): string {
  if (from === '' && to === undefined) return 'all';
  const prefix = from.endsWith(SEPARATOR) ? from.slice(0, -1) : from;
  if (to === prefix + BEHIND_SEPARATOR) return `= ${keyWords(prefix)}`;
  if (to === undefined) return `from ${keyWords(from)}`;
  const isThrough = to.endsWith(SEPARATOR) || to.endsWith(BEHIND_SEPARATOR);
  const end = `${isThrough ? 'through' : 'to before'} ${keyWords(isThrough ? to.slice(0, -1) : to)}`;
  return from === '' ? end : `${keyWords(from)} ${end}`;
}

export function readWords(reads: ReadSet): ReadWords {
  const keys = [...reads.keys].flatMap(([table, texts]) =>
    [...texts].map((text) => ({ table, key: keyWords(text) })));
  const ranges = reads.ranges.map((range) =>
    ({ table: range.table, index: range.index, range: rangeWords(range) }));
  return { keys, ranges };
}

function partWords(part: string): string {
  try {
    const value = keyValue(part);
    return value instanceof Date ? value.toISOString() : String(value);
  } catch {
    // Where an iteration stopped, a range ends in the middle of a key: as it stands, then.
    return part;
  }
}
