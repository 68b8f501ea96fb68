/** What one tentative update has made of a row, and the list of all that have written it. */
import type { KeyText, Row } from '../protocol/index.js';
import type { LogEntry } from './log.js';

export class Version {
  readonly entry: LogEntry;
  /** Null: the update deleted it. */
  readonly row: Row | null;

  constructor(entry: LogEntry, row: Row | null) {
    this.entry = entry;
    this.row = row;
  }
}

/**
 * In rank order, never empty. The overlay changes its lists in place: who compares later keeps a
 * copy.
 */
export type Versions = readonly Version[];

/** One row as the tentative updates have written it. */
export interface TentativeRow {
  readonly key: KeyText;
  readonly versions: Version[];
}

/** The newest version below that rank. */
export function versionBelow(versions: Versions, rank: number): Version | undefined {
  const top = versions[versions.length - 1];
  // Most readers stand on top.
  if (top !== undefined && top.entry.rank < rank) return top;
  return versions[firstAtOrAbove(versions, rank) - 1];
}

/** Where in the list the first one at that rank or above stands. */
export function firstAtOrAbove(versions: Versions, rank: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle]?.entry.rank ?? Infinity) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}
