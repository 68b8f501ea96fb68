/**
 * Names of a space's records, and the seal on each. Keys start with the space's id, which contains
 * no zero char: so the records of a space lie together, and no space can reach into another's.
 *
 * | collection | key | value |
 * | --- | --- | --- |
 * | meta | space, `head` | csn, history, identity; the version of this layout |
 * | meta | space, `pages` | the pages of the base, and the csn up to which entries are in them |
 * | meta | space, `conflict`, replica, seq | one conflict |
 * | meta | space, `undo`, replica, seq | what takes one settled update back |
 * | updates | space, replica, seq | one tentative update |
 * | entries | space, csn | one commit entry |
 * | pages | space, number | rows of one table, in key order |
 *
 * A page is named by a number and tells its first key itself: keys of rows may be longer than any
 * store takes.
 */
import { checksum, type UpdateId } from '../protocol/index.js';

const SEPARATOR = '\u0000';
/** The char after the separator: ends the range of all keys that start with a space. */
const BEHIND_SEPARATOR = '\u0001';

export interface StoreRange {
  readonly from: string;
  readonly to: string;
}

/** Records of one collection, in key order. */
export type Records = readonly (readonly [key: string, value: string])[];

/** What the store holds of one space, as read in `spaceRange`. */
export interface StoredRecords {
  readonly meta: Records;
  readonly updates: Records;
  readonly entries: Records;
  readonly pages: Records;
  /** The store itself has seen to it that pages are as they were written. */
  readonly isChecked?: boolean | undefined;
}

/** Where the records of a space lie: the same in each collection. */
export const spaceRange = (space: string): StoreRange => ({
  from: space + SEPARATOR,
  to: space + BEHIND_SEPARATOR,
});

export const headKey = (space: string): string => keyOf(space, 'head');
export const pagesKey = (space: string): string => keyOf(space, 'pages');
export const conflictPrefix = (space: string): string => keyOf(space, 'conflict', '');
export const conflictKey = (space: string, id: UpdateId): string =>
  keyOf(space, 'conflict', id.replica, padded(id.seq));
export const undoPrefix = (space: string): string => keyOf(space, 'undo', '');
export const undoKey = (space: string, id: UpdateId): string =>
  keyOf(space, 'undo', id.replica, padded(id.seq));
export const updateRecordKey = (space: string, id: UpdateId): string =>
  keyOf(space, id.replica, padded(id.seq));
export const entryKey = (space: string, csn: number): string => keyOf(space, padded(csn));
export const pageKey = (space: string, page: number): string => keyOf(space, padded(page));

/** The space in the key of a record. */
export const spaceOfKey = (key: string): string => key.split(SEPARATOR, 1)[0] ?? '';

/** The replica in the key of an update's record. */
export const replicaOfKey = (key: string): string => key.split(SEPARATOR)[1] ?? '';

const keyOf = (...parts: string[]): string => parts.join(SEPARATOR);

/** 16 digits carry every safe integer, and sort as numbers do. */
const padded = (n: number): string => String(n).padStart(SEAL_CHARS, '0');

const SEAL_CHARS = 16;

/**
 * Disks and browsers do give back what was never written: a record carries the checksum of its
 * text.
 */
export const sealed = (text: string): string => checksum(text) + text;

/** The text, or undefined if the record is damaged. */
export function unsealed(record: string | undefined): string | undefined {
  const text = record?.slice(SEAL_CHARS);
  return text !== undefined && record === checksum(text) + text ? text : undefined;
}
