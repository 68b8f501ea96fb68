/**
 * The write-ahead log over segment files, with group commit: what is appended while a sync is in
 * flight joins the next one; there is no timer. One group is one write and one sync within one
 * segment, so that at most one group is undecided after a crash. A failed write or sync stops the
 * log for good: after it, nobody knows what the disk holds. Reading behind it: Gray and Reuter,
 * "Transaction Processing", 1993, §9 (group commit); Rebello et al., "Can Applications Recover
 * from fsync Failures?", ATC'20.
 */
import { OxbowError, invariant } from '@oxbow/sdk/protocol';
import type { SegmentDirectory } from './append-file.js';
import { failed } from './log-errors.js';
import {
  HEADER_BYTES, MARK_BYTES, bytesOf, draftLink, draftMark, recordBytes, sealLink,
} from './record.js';
import type { ChainEnd } from './record.js';
import { recoverLog } from './recovery.js';
import type { RecoveredLog } from './recovery.js';
import { SegmentRow } from './segment-row.js';
import type { PayloadWriter, WriteAheadLog, WriteAheadLogEvents } from './write-ahead-log.js';
import { WriteBuffer } from './write-buffer.js';

export interface SegmentLogLimits {
  /** Preallocated size of a segment file. */
  readonly segmentBytes: number;
  readonly payloadBytesMax: number;
  /** Appended and not on disk; beyond it `append` throws `log-full`. */
  readonly inFlightBytesMax: number;
}

const MI = 1024 * 1024;

export const segmentLogLimits: SegmentLogLimits = {
  segmentBytes: 32 * MI,
  payloadBytesMax: 13 * MI,
  inFlightBytesMax: 256 * MI,
};

/** Room that a segment has for one record. */
const SEGMENT_OVERHEAD = 2 * MARK_BYTES;
const BUFFER_BYTES = 256 * 1024;

interface Waiter {
  /** It waits for so many links to be on disk. */
  readonly links: number;
  readonly done: () => void;
}

type Phase = 'new' | 'recovering' | 'running' | 'stopping' | 'stopped' | 'failed';

export class SegmentLog implements WriteAheadLog {
  readonly #limits: SegmentLogLimits;
  readonly #segments: SegmentRow;
  readonly #buffer: WriteBuffer;
  readonly #markMemory = bytesOf(new Uint8Array(MARK_BYTES));
  readonly #fits = (bytes: number): boolean => this.#segments.hasRoom(bytes);
  #phase: Phase = 'new';
  #events: WriteAheadLogEvents | undefined;
  #stopped: (() => void) | undefined;
  /** After the last link written. */
  readonly #chain: ChainEnd = { link: 0, index: 0, crc: 0, durable: 0 };
  /** Of the last record appended. chain.index ≤ lastIndex */
  #lastIndex = 0;
  // durableLinks ≤ writtenLinks ≤ draftedLinks; of this run, marks that are written past the
  // buffer not counted
  #draftedLinks = 0;
  #writtenLinks = 0;
  #durableLinks = 0;
  #inFlightBytes = 0;
  /** What somebody waits for. */
  #wantedLinks = 0;
  #waiters: Waiter[] = [];
  /** A write and its sync are under way. */
  #isFlushing = false;
  /** Records before it are not needed, once what was appended before `trim` is on disk. */
  #keepFrom = 1;
  /** What marks may say already. markedFrom ≤ keepFrom */
  #markedFrom = 1;
  /** A mark that says so, to give segments up after it, is on its way. */
  #isReleasing = false;

  constructor(directory: SegmentDirectory, limits: SegmentLogLimits = segmentLogLimits) {
    invariant(
      recordBytes(limits.payloadBytesMax) + SEGMENT_OVERHEAD <= limits.segmentBytes,
      'a segment holds its marks and the largest record',
    );
    invariant(limits.inFlightBytesMax >= limits.payloadBytesMax, 'the largest payload fits');
    this.#limits = limits;
    this.#buffer = new WriteBuffer(Math.min(BUFFER_BYTES, limits.segmentBytes));
    this.#segments = new SegmentRow(directory, limits.segmentBytes, (error) => this.#fail(error));
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  start(events: WriteAheadLogEvents): void {
    invariant(this.#phase === 'new', 'a log starts once');
    this.#phase = 'recovering';
    this.#events = events;
    recoverLog(this.#segments.directory, (log, error) => {
      if (this.#phase !== 'recovering') return;
      if (log === undefined) return this.#fail(error ?? new OxbowError('invariant', 'No log'));
      this.#resume(log);
    });
  }

  append(payloadBytes: number, write: PayloadWriter): number {
    this.#mustTake(payloadBytes);
    const offset = this.#buffer.reserve(payloadBytes);
    const { bytes, view } = this.#buffer.memory;
    draftLink(view, offset, 'record', payloadBytes);
    write(bytes, offset + HEADER_BYTES);
    this.#drafted(payloadBytes);
    this.#lastIndex += 1;
    return this.#lastIndex;
  }

  flushed(done: () => void): void {
    if (this.#phase !== 'running' && this.#phase !== 'stopping') return;
    // Behind those that are about to be told, even if all is on disk by now.
    const isNext = this.#waiters.length === 0;
    if (isNext && this.#durableLinks === this.#draftedLinks) return done();
    this.#waiters.push({ links: this.#draftedLinks, done });
    this.#wantedLinks = this.#draftedLinks;
    this.#maybeFlush();
  }

  trim(index: number): void {
    if (this.#phase !== 'running' || index <= this.#keepFrom) return;
    invariant(index <= this.#lastIndex + 1, 'what is trimmed was appended');
    this.#keepFrom = index;
    this.#maybeRelease();
  }

  /**
   * Finishes what is in flight, then leaves a mark: damage of the last records will be told from a
   * torn tail.
   */
  stop(done: () => void): void {
    if (this.#phase !== 'running') {
      if (this.#phase !== 'failed') this.#phase = 'stopped';
      this.#segments.close();
      return done();
    }
    this.#phase = 'stopping';
    this.#stopped = done;
    this.#maybeFlush();
  }

  #drafted(payloadBytes: number): void {
    this.#draftedLinks += 1;
    this.#inFlightBytes += recordBytes(payloadBytes);
  }

  #mustTake(payloadBytes: number): void {
    if (this.#phase !== 'running') {
      throw new OxbowError('log-failed', 'The log takes no records now: it is starting, has stopped or has failed.');
    }
    const { payloadBytesMax, inFlightBytesMax } = this.#limits;
    if (payloadBytes > payloadBytesMax) {
      throw new OxbowError(
        'payload-too-large', `A record of ${payloadBytes} bytes exceeds ${payloadBytesMax}.`,
      );
    }
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + payloadBytes > inFlightBytesMax) {
      throw new OxbowError('log-full', 'Too much waits for the disk: append again once it is flushed.');
    }
  }

  /**
   * A mark after the last good record breaks the chain to whatever a torn tail holds beyond it.
   * Nothing is told before all is synced: a killed process may have written what never reached the
   * disk.
   */
  #resume(log: RecoveredLog): void {
    const { link, index, crc } = log.last;
    Object.assign(this.#chain, { link, index, crc, durable: 0 });
    this.#lastIndex = index;
    this.#keepFrom = log.keepFrom;
    this.#markedFrom = log.keepFrom;
    this.#segments.resume(log, () => {
      this.#chain.durable = link;
      this.#withRoom(MARK_BYTES, () => this.#writeMark('mark', () => {
        this.#phase = 'running';
        this.#segments.release(log.keepFrom);
        this.#events?.onRecovered(log.records);
      }));
    });
  }

  #maybeFlush(): void {
    if (this.#isFlushing || (this.#phase !== 'running' && this.#phase !== 'stopping')) return;
    if (this.#wantedLinks <= this.#durableLinks && this.#phase === 'running') return;
    if (this.#buffer.isEmpty) {
      if (this.#phase === 'stopping') this.#leave();
      return;
    }
    this.#isFlushing = true;
    this.#withRoom(this.#buffer.firstBytes(), () => this.#flush());
  }

  /**
   * These marks are synced alone: what follows proves that they were readable. The old segment's
   * end mark comes first, once the new file exists: from then on its loss is noticed.
   */
  #withRoom(bytes: number, then: () => void): void {
    if (this.#segments.hasRoom(bytes)) return then();
    this.#segments.readyNext(() => this.#writeMark('end', () => {
      this.#segments.rotate();
      this.#writeMark('mark', then);
    }));
  }

  /** All that waits, as far as the segment has room. */
  #flush(): void {
    const { bytes, links } = this.#buffer.take(this.#chain, this.#fits);
    this.#writtenLinks += links;
    const size = bytes.length;
    const upTo = this.#writtenLinks;
    this.#writeAndSync(bytes, () => {
      this.#durableLinks = upTo;
      this.#inFlightBytes -= size;
      this.#isFlushing = false;
      // The disk first: the next group is on its way while the waiters of this one are told.
      this.#maybeFlush();
      this.#tell();
      this.#maybeProve();
    });
  }

  /**
   * Nothing follows for now, which would prove that the last group had been on disk: a mark does,
   * unsynced, at the price of a write. It outlives the process at once, and the machine as soon as
   * the system has written it out.
   */
  #maybeProve(): void {
    if (this.#phase !== 'running' || this.#isFlushing) return;
    if (this.#segments.hasRoom(MARK_BYTES)) return this.#segments.leave(this.#sealedMark('mark'));
    // The next segment is due; the end mark of this one proves as much.
    this.#isFlushing = true;
    this.#withRoom(MARK_BYTES, () => {
      this.#isFlushing = false;
      this.#maybeFlush();
    });
  }

  #tell(): void {
    for (;;) {
      const [next] = this.#waiters;
      if (next === undefined || next.links > this.#durableLinks) return;
      this.#waiters.shift();
      next.done();
    }
  }

  /**
   * Segments go only after a mark on disk says so: else their loss could not be told from their
   * being given up.
   */
  #maybeRelease(): void {
    if (this.#isReleasing || !this.#segments.wouldRelease(this.#keepFrom)) return;
    this.#isReleasing = true;
    const keepFrom = this.#keepFrom;
    const offset = this.#buffer.reserve(MARK_BYTES - HEADER_BYTES);
    draftMark(this.#buffer.memory.view, offset, 'mark', keepFrom);
    this.#drafted(MARK_BYTES - HEADER_BYTES);
    this.flushed(() => {
      this.#isReleasing = false;
      this.#markedFrom = keepFrom;
      this.#segments.release(keepFrom);
      this.#maybeRelease();
    });
  }

  #writeMark(kind: 'mark' | 'end', then: () => void): void {
    this.#writeAndSync(this.#sealedMark(kind), then);
  }

  /** The chain's next link. Its bytes are valid until the next one. */
  #sealedMark(kind: 'mark' | 'end'): Uint8Array {
    draftMark(this.#markMemory.view, 0, kind, this.#markedFrom);
    sealLink(this.#markMemory, 0, this.#chain);
    return this.#markMemory.bytes;
  }

  #writeAndSync(bytes: Uint8Array, then: () => void): void {
    const { link, index } = this.#chain;
    this.#segments.append(bytes, index, () => {
      if (this.#phase === 'failed' || this.#phase === 'stopped') return;
      this.#chain.durable = link;
      then();
    });
  }

  #leave(): void {
    this.#isFlushing = true;
    this.#withRoom(MARK_BYTES, () => {
      this.#writeMark('mark', () => {
        this.#phase = 'stopped';
        this.#segments.close();
        this.#stopped?.();
      });
    });
  }

  #fail(cause: Error): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return;
    const wasStopping = this.#phase === 'stopping';
    this.#phase = 'failed';
    this.#waiters = [];
    this.#segments.close();
    this.#events?.onFatal(failed(cause));
    if (wasStopping) this.#stopped?.();
  }
}
