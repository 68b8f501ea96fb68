/** The commit log of one node: group commit over segment files. */
import type { SegmentDirectory } from './append-file.js';

export interface LocalLogLimits {
  /** Preallocated size of a segment file. */
  readonly segmentBytes: number;
  readonly payloadBytesMax: number;
  /** Proposed and not chosen; beyond it `propose` throws `log-full`. */
  readonly inFlightBytesMax: number;
  readonly inFlightSlotsMax: number;
}

export const localLogLimits: LocalLogLimits = {
  segmentBytes: 16 * 1024 * 1024,
  payloadBytesMax: 8 * 1024 * 1024,
  inFlightBytesMax: 64 * 1024 * 1024,
  inFlightSlotsMax: 1_024,
};

/** `new LocalLog(directory, limits)` implements CommitLog. */
export type LocalLogConstructor = new (
  directory: SegmentDirectory,
  limits?: LocalLogLimits,
) => import('./commit-log.js').CommitLog;
