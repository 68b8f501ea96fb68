/**
 * One log file row per node, shared by everything on it that must not forget: group commit is worth
 * most when all groups of a node share it (Chang et al., "Bigtable", OSDI'06 §6). It holds opaque
 * records; who wrote them is the business of the codec above. Its laws are in
 * `testing/write-ahead-log-laws.ts`.
 */
import type { OxbowError } from '@oxbow/sdk/protocol';

export interface WriteAheadLogEvents {
  /** Once: every record of former runs that was not trimmed, in order, surely on disk by now. */
  onRecovered(records: readonly WalRecord[]): void;
  /**
   * Records that were once on disk cannot be read (`log-damaged`), or nothing can be promised any more
   * (`log-failed`, `log-unreadable`): the log is silent from now on.
   */
  onFatal(error: OxbowError): void;
}

export interface WalRecord {
  /** Dense, from 1, over the whole life of the log. */
  readonly index: number;
  readonly payload: Uint8Array;
}

export interface WriteAheadLog {
  start(events: WriteAheadLogEvents): void;
  /** Returns the record's index. Errors: `log-full`, `payload-too-large`. */
  append(payload: Uint8Array): number;
  /**
   * `done` once everything appended before is on disk; calls come in order, never in the same turn.
   * Appends that nobody waits for ride along with the next ones that someone does.
   */
  flushed(done: () => void): void;
  /** Records before `index` are not needed. */
  trim(index: number): void;
  /** Appended and not yet on disk. */
  readonly inFlightBytes: number;
  /** Flushes, and leaves a mark by which damage is told from a torn tail. */
  stop(done: () => void): void;
}
