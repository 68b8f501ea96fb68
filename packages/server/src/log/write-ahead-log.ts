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
   * Records that were once on disk cannot be read (`log-damaged`), or nothing can be promised any
   * more (`log-failed`, `log-unreadable`, `disk-full`): the log is silent from now on.
   */
  onFatal(error: OxbowError): void;
}

export interface WalRecord {
  /** Dense, from 1, over the whole life of the log. */
  readonly index: number;
  /** Part of a whole file's bytes: copy what lives long. */
  readonly payload: Uint8Array;
}

/**
 * Writes a record's bytes from `offset` on: into the log's own memory, so that nothing is copied
 * twice.
 */
export type PayloadWriter = (target: Uint8Array, offset: number) => void;

export interface WriteAheadLog {
  start(events: WriteAheadLogEvents): void;
  /**
   * Calls `write` at once for exactly `payloadBytes` bytes and returns the record's index. Errors:
   * `log-full`, `payload-too-large`. Nothing leaves for the disk before somebody waits for it.
   */
  append(payloadBytes: number, write: PayloadWriter): number;
  /**
   * `done` once everything appended before is on disk: at once when it is already, else in a later
   * turn. Calls come in order. Appends that nobody waits for ride along with the next ones that
   * someone does.
   */
  flushed(done: () => void): void;
  /**
   * Records before `index` are not needed, after a restart either: what is still needed of them was
   * appended again before this call.
   */
  trim(index: number): void;
  /** Room that what is appended and not yet on disk takes. */
  readonly inFlightBytes: number;
  /** Flushes, and leaves a mark by which damage is told from a torn tail. */
  stop(done: () => void): void;
}
