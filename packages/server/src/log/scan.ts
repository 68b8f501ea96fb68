/** Reads one segment's bytes: what of them is log, and whether the rest may be overwritten. */
import { CHAIN_START, bytesOf, continues, readLink } from './record.js';
import type { Bytes, ChainLink, ChainPlace } from './record.js';

export interface SegmentScan {
  readonly links: readonly ChainLink[];
  /**
   * The link at `offset` had once been on disk and cannot be read. Otherwise what follows is of no
   * log, or of a former life of the file, or was never surely on disk: it may be overwritten.
   */
  readonly isDamaged: boolean;
  /** The end of the last good link. */
  readonly offset: number;
  /**
   * The chain after the last good link; undefined if not even the segment's first mark could be
   * read.
   */
  readonly last: ChainPlace | undefined;
}

/**
 * `before` is the chain's place at the end of the segment before. Undefined for the oldest one:
 * its first mark tells where the log begins, which is how a trimmed log is never taken for an
 * empty one.
 */
export function scanSegment(file: Uint8Array, before: ChainPlace | undefined): SegmentScan {
  const segment = bytesOf(file);
  const links: ChainLink[] = [];
  let last = before;
  let offset = 0;
  for (;;) {
    const link = readLink(segment, offset);
    if (link === undefined) break;
    if (last === undefined ? link.kind !== 'mark' : !continues(last, link)) break;
    links.push(link);
    last = link;
    offset = link.end;
    // The log goes on in the next segment; what follows here is of a former life.
    if (link.kind === 'end') break;
  }
  return { links, last, offset, isDamaged: proves(segment, offset, last) };
}

/**
 * Whether a sound link in the file says that the one after `last` was on disk when it was written.
 * Links left by a former run or a former life of the file never say so: they knew less than what
 * the chain holds now. With no first mark (`last` undefined) any sound link is proof, as a
 * segment's mark is synced before anything follows it.
 */
export const provesDurable = (file: Uint8Array, last: ChainPlace | undefined): boolean =>
  proves(bytesOf(file), 0, last);

function proves(segment: Bytes, offset: number, last: ChainPlace | undefined): boolean {
  const missing = (last ?? CHAIN_START).link + 1;
  for (let at = offset; at < segment.bytes.length; ) {
    const link = readLink(segment, at);
    if (link !== undefined && (last === undefined || link.durable >= missing)) return true;
    at = link?.end ?? at + 8;
  }
  return false;
}
