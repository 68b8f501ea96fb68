/** Reads one segment's bytes: what of them is log, and what the rest is. */
import { CHAIN_START, continues, readRecord } from './record.js';
import type { ChainPlace, LogRecord } from './record.js';

/**
 * `clean`: nothing but zeros follows. `torn-tail`: what follows is of no log, or was never surely on disk: it may be
 * overwritten. `damaged`: the record at `offset` had once been on disk and cannot be read.
 */
export type Verdict = 'clean' | 'torn-tail' | 'damaged';

export interface SegmentScan {
  readonly records: readonly LogRecord[];
  readonly verdict: Verdict;
  /** Where the verdict is about: the end of the last good record. */
  readonly offset: number;
  /** The chain after the last good record; undefined if not even the segment's first mark could be read. */
  readonly last: ChainPlace | undefined;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * `before` is the chain's place at the end of the segment before. Undefined for the oldest one: its first mark tells where the
 * log begins, which is how a trimmed log is never taken for an empty one.
 */
export function scanSegment(bytes: Uint8Array, before: ChainPlace | undefined): SegmentScan {
  const view = viewOf(bytes);
  const records: LogRecord[] = [];
  let last = before;
  let offset = 0;
  for (;;) {
    const record = readRecord(view, offset);
    if (record === undefined) break;
    if (last === undefined ? record.kind !== 'mark' : !continues(last, record)) break;
    records.push(record);
    last = record;
    offset = record.end;
  }
  return { records, last, offset, verdict: verdictAt(bytes, offset, last) };
}

function verdictAt(bytes: Uint8Array, offset: number, last: ChainPlace | undefined): Verdict {
  if (provesDurable(bytes, offset, last)) return 'damaged';
  for (let at = offset; at < bytes.length; at++) if (bytes[at] !== 0) return 'torn-tail';
  return 'clean';
}

/**
 * Whether a sound record at or after `offset` says that the record after `last` was on disk when it was written. Records
 * left by a former run never say so: the run before last knew less than what the chain holds now. With no first mark
 * (`last` undefined) any sound record is proof, as a segment's mark is synced before anything follows it.
 */
export function provesDurable(
  bytes: Uint8Array,
  offset: number,
  last: ChainPlace | undefined,
): boolean {
  const view = viewOf(bytes);
  const missing = (last ?? CHAIN_START).index + 1;
  for (let at = offset; at < bytes.length; ) {
    const record = readRecord(view, at);
    if (record !== undefined && (last === undefined || record.durable >= missing)) return true;
    at = record?.end ?? at + 8;
  }
  return false;
}
