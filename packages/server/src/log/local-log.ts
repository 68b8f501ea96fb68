/**
 * The commit log of one node: group commit over segment files. What is proposed while a sync is in flight joins the next
 * one; there is no timer. One group is one write and one sync within one segment, so that at most one group is undecided
 * after a crash. A failed write or sync stops the log for good: after it, nobody knows what the disk holds.
 * Reading behind it: Gray and Reuter, "Transaction Processing", 1993, §9 (group commit); Rebello et al., "Can Applications Recover
 * from fsync Failures?", ATC'20.
 */
import { OxbowError, invariant } from '@oxbow/sdk/protocol';
import type { SegmentDirectory } from './append-file.js';
import type { CommitLog, CommitLogEvents } from './commit-log.js';
import { CHAIN_START, MARK_BYTES, recordBytes, writeRecord } from './record.js';
import type { ChainPlace } from './record.js';
import { recoverLog } from './recovery.js';
import type { RecoveredLog } from './recovery.js';
import { SegmentRow } from './segment-row.js';

export interface LocalLogLimits {
  /** Preallocated size of a segment file. */
  readonly segmentBytes: number;
  readonly payloadBytesMax: number;
  /** Proposed and not chosen; beyond it `propose` throws `log-full`. */
  readonly inFlightBytesMax: number;
  readonly inFlightSlotsMax: number;
}

export const localLogLimits: LocalLogLimits = {
  segmentBytes: 32 * 1024 * 1024,
  payloadBytesMax: 12 * 1024 * 1024,
  inFlightBytesMax: 64 * 1024 * 1024,
  inFlightSlotsMax: 1_024,
};

interface Proposal {
  readonly payload: Uint8Array;
  readonly tag: number;
}

/** What one sync makes durable. */
interface Group {
  readonly proposals: readonly Proposal[];
  readonly firstSlot: number;
}

type Phase = 'new' | 'recovering' | 'leading' | 'stopping' | 'stopped' | 'failed';

export class LocalLog implements CommitLog {
  readonly #limits: LocalLogLimits;
  readonly #segments: SegmentRow;
  #phase: Phase = 'new';
  #events: CommitLogEvents | undefined;
  #stopped: (() => void) | undefined;
  /** After the last record written. */
  #chain: ChainPlace = CHAIN_START;
  // durable ≤ chain.index
  #durable = 0;
  #pending: Proposal[] = [];
  /** A write and its sync are under way. */
  #isFlushing = false;
  #inFlightBytes = 0;
  #inFlightSlots = 0;

  constructor(directory: SegmentDirectory, limits: LocalLogLimits = localLogLimits) {
    invariant(
      recordBytes(limits.payloadBytesMax) + MARK_BYTES <= limits.segmentBytes,
      'a segment holds its mark and the largest record',
    );
    invariant(limits.inFlightBytesMax >= limits.payloadBytesMax, 'the largest payload fits');
    this.#limits = limits;
    this.#segments = new SegmentRow(directory, limits.segmentBytes, (error) => this.#fail(error));
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  start(appliedSlot: number, events: CommitLogEvents): void {
    invariant(this.#phase === 'new', 'a log starts once');
    this.#phase = 'recovering';
    this.#events = events;
    recoverLog(this.#segments.directory, appliedSlot, (log, error) => {
      if (this.#phase !== 'recovering') return;
      if (log === undefined) return this.#fail(error ?? new OxbowError('invariant', 'No log'));
      this.#resume(log);
    });
  }

  propose(payload: Uint8Array, tag: number): void {
    if (this.#phase !== 'leading') {
      throw new OxbowError('not-leader', 'The log takes no proposals now: it is starting or has stopped.');
    }
    if (payload.length > this.#limits.payloadBytesMax) {
      throw new OxbowError(
        'payload-too-large',
        `A payload of ${payload.length} bytes exceeds ${this.#limits.payloadBytesMax}: propose smaller batches.`,
      );
    }
    if (
      this.#inFlightSlots >= this.#limits.inFlightSlotsMax ||
      this.#inFlightBytes + payload.length > this.#limits.inFlightBytesMax
    ) {
      throw new OxbowError('log-full', 'Too much is in flight: wait for onChosen, then propose again.');
    }
    this.#inFlightSlots += 1;
    this.#inFlightBytes += payload.length;
    this.#pending.push({ payload, tag });
    this.#maybeFlush();
  }

  trim(slot: number): void {
    if (this.#phase === 'leading') this.#segments.trim(slot);
  }

  /** Finishes what is in flight, then leaves a mark: damage of the last records will be told from a torn tail. */
  stop(done: () => void): void {
    if (this.#phase !== 'leading') {
      this.#phase = 'stopped';
      this.#segments.close();
      return done();
    }
    this.#phase = 'stopping';
    this.#stopped = done;
    this.#maybeFlush();
  }

  /**
   * A mark after the last good record breaks the chain to whatever a torn tail holds beyond it. Nothing is replayed before
   * all is synced: a killed process may have written what never reached the disk.
   */
  #resume(log: RecoveredLog): void {
    this.#chain = log.last;
    this.#segments.resume(log, () => {
      this.#durable = log.last.index;
      this.#writeMark(() => {
        this.#phase = 'leading';
        for (const record of log.records) {
          this.#events?.onChosen(record.slot, record.payload, undefined);
        }
        this.#events?.onLeadership(true);
      });
    });
  }

  #maybeFlush(): void {
    if (this.#isFlushing || (this.#phase !== 'leading' && this.#phase !== 'stopping')) return;
    const first = this.#pending[0];
    if (first === undefined) {
      if (this.#phase === 'stopping') this.#leave();
      return;
    }
    this.#isFlushing = true;
    this.#withRoom(recordBytes(first.payload.length), () => this.#flush());
  }

  /** The mark of a new segment is synced alone: what follows in the segment proves that it was readable. */
  #withRoom(bytes: number, then: () => void): void {
    if (this.#segments.hasRoom(bytes)) return then();
    this.#segments.rotate(() => this.#writeMark(then));
  }

  #flush(): void {
    const group = this.#nextGroup();
    const size = group.proposals.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    let offset = 0;
    for (const { payload } of group.proposals) {
      const before = { ...this.#chain, durable: this.#durable };
      this.#chain = writeRecord(view, offset, before, payload);
      offset += recordBytes(payload.length);
    }
    this.#writeAndSync(bytes, () => {
      this.#isFlushing = false;
      // The disk first: the next group is on its way while the chosen ones are told.
      this.#maybeFlush();
      this.#tell(group);
    });
  }

  /** All that waits, as far as the segment has room. */
  #nextGroup(): Group {
    let size = 0;
    let count = 0;
    for (const { payload } of this.#pending) {
      size += recordBytes(payload.length);
      if (!this.#segments.hasRoom(size)) break;
      count += 1;
    }
    return { proposals: this.#pending.splice(0, count), firstSlot: this.#chain.slot + 1 };
  }

  #tell({ proposals, firstSlot }: Group): void {
    let slot = firstSlot;
    for (const { payload, tag } of proposals) {
      this.#inFlightSlots -= 1;
      this.#inFlightBytes -= payload.length;
      this.#events?.onChosen(slot, payload, tag);
      slot += 1;
    }
  }

  #writeMark(then: () => void): void {
    const bytes = new Uint8Array(MARK_BYTES);
    const before = { ...this.#chain, durable: this.#durable };
    this.#chain = writeRecord(new DataView(bytes.buffer), 0, before, undefined);
    this.#writeAndSync(bytes, then);
  }

  #writeAndSync(bytes: Uint8Array, then: () => void): void {
    const upTo = this.#chain;
    this.#segments.append(bytes, upTo.slot, () => {
      if (this.#phase === 'failed' || this.#phase === 'stopped') return;
      this.#durable = upTo.index;
      then();
    });
  }

  #leave(): void {
    this.#isFlushing = true;
    this.#withRoom(MARK_BYTES, () => {
      this.#writeMark(() => {
        this.#phase = 'stopped';
        this.#segments.close();
        this.#events?.onLeadership(false);
        this.#stopped?.();
      });
    });
  }

  #fail(cause: Error): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return;
    const wasStopping = this.#phase === 'stopping';
    this.#phase = 'failed';
    this.#pending = [];
    this.#segments.close();
    const error =
      cause instanceof OxbowError
        ? cause
        : new OxbowError(
            'log-failed',
            `The log could not be written: ${cause.message}. What was told as committed is safe. Mend the disk, then start again.`,
            { cause },
          );
    this.#events?.onFatal(error);
    if (wasStopping) this.#stopped?.();
  }
}
