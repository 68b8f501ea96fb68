/**
 * The segment files in a row: one is written, the next is made ready ahead of need, old ones are
 * given up oldest first, one at a time, so that what remains is always a row without holes. A
 * segment that is given up becomes the next one under a new name where that one is missing: its
 * blocks exist already, and filling 32 MiB with zeros would hold up the barriers of the live
 * segment. Its old records continue no chain (record.ts).
 */
import { invariant } from '@oxbow/sdk/protocol';
import type { SegmentDirectory, SegmentFile } from './append-file.js';
import { MARK_BYTES } from './record.js';
import { segmentName } from './recovery.js';
import type { RecoveredLog, RecoveredSegment } from './recovery.js';

interface OpenSegment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly file: SegmentFile;
  offset: number;
  lastIndex: number;
  /** Something of this log is surely on disk in it: those before it may go. */
  isMarked: boolean;
}

export class SegmentRow {
  readonly directory: SegmentDirectory;
  readonly #segmentBytes: number;
  readonly #onFailure: (error: Error) => void;
  /** Oldest first, without the current one. */
  #full: RecoveredSegment[] = [];
  #current: OpenSegment | undefined;
  #spare: OpenSegment | undefined;
  #isOpening = false;
  /**
   * The spare could not be made ahead of need (a full disk, most likely): tried once more when it
   * is needed.
   */
  #isSpareLate = false;
  #isGivingUp = false;
  #isClosed = false;
  /** Records before it are surely not needed after a crash either. */
  #releasedFrom = 1;
  /** Waits for the spare. */
  #rotated: (() => void) | undefined;

  constructor(
    directory: SegmentDirectory,
    segmentBytes: number,
    onFailure: (error: Error) => void,
  ) {
    this.directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#onFailure = onFailure;
  }

  /**
   * Makes the end of the chain the place of the next append. What a killed process had written
   * there is synced first: the next append may go to another file.
   */
  resume(log: RecoveredLog, then: () => void): void {
    const tail = log.segments.at(-1) ?? { number: 1, sizeBytes: this.#segmentBytes };
    this.#full = log.segments.slice(0, -1);
    const former = this.#full.at(-1);
    const openTail = (): void => this.#mustOpen(tail.number, tail.sizeBytes, (opened) => {
      opened.offset = log.endOffset;
      opened.lastIndex = log.last.index;
      this.#current = opened;
      this.#sync(opened.file, then);
    });
    if (log.endOffset > 0 || former === undefined) return openTail();
    // The chain's last link is the former segment's end mark.
    this.#mustOpen(former.number, former.sizeBytes, ({ file }) => this.#sync(file, () => {
      file.close();
      openTail();
    }));
  }

  /** Room is always kept for the mark that ends a segment. */
  hasRoom(bytes: number): boolean {
    const current = this.#current;
    return current !== undefined && current.offset + bytes + MARK_BYTES <= current.sizeBytes;
  }

  /**
   * One write and one sync; `then` when it is on disk. After a failure nothing is called any more
   * but `onFailure`.
   */
  append(bytes: Uint8Array, lastIndex: number, then: () => void): void {
    const current = this.#write(bytes);
    current.lastIndex = lastIndex;
    this.#sync(current.file, () => {
      current.isMarked = true;
      this.#maybeGiveUp();
      then();
    });
    if (current.offset * 2 > current.sizeBytes && !this.#isSpareLate) this.#prepareSpare();
  }

  /** A mark that is on disk with the next sync, or before, as the system sees fit. */
  leave(mark: Uint8Array): void {
    this.#write(mark);
  }

  /** `then` once there is a next segment. Nothing may be under way in the present one. */
  readyNext(then: () => void): void {
    invariant(this.#rotated === undefined, 'one rotation at a time');
    if (this.#spare !== undefined) return then();
    this.#rotated = then;
    this.#prepareSpare();
  }

  /** Makes the next segment the current one. */
  rotate(): void {
    const [former, next] = [this.#current, this.#spare];
    invariant(former !== undefined && next !== undefined, 'a rotation has two segments');
    former.file.close();
    const { number, sizeBytes, lastIndex } = former;
    this.#full.push({ number, sizeBytes, lastIndex });
    next.lastIndex = lastIndex;
    this.#current = next;
    this.#spare = undefined;
    this.#isSpareLate = false;
  }

  /** Whether a segment could go if records before `index` were not needed. */
  wouldRelease(index: number): boolean {
    const oldest = this.#full[0];
    return oldest !== undefined && oldest.lastIndex < index;
  }

  /**
   * Gives up what holds only records before `index`: a mark on disk says that they are not needed.
   */
  release(index: number): void {
    this.#releasedFrom = Math.max(this.#releasedFrom, index);
    this.#maybeGiveUp();
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.file.close();
    this.#spare?.file.close();
    this.#current = undefined;
    this.#spare = undefined;
  }

  #write(bytes: Uint8Array): OpenSegment {
    const current = this.#current;
    invariant(
      current !== undefined && current.offset + bytes.length <= current.sizeBytes,
      'appends go where room is',
    );
    current.file.write(current.offset, bytes);
    current.offset += bytes.length;
    return current;
  }

  #sync(file: SegmentFile, then: () => void): void {
    file.sync((error) => {
      if (this.#isClosed) return;
      if (error) this.#onFailure(error);
      else then();
    });
  }

  #prepareSpare(): void {
    if (this.#spare !== undefined || this.#isOpening) return;
    this.#isOpening = true;
    this.#open(this.#nextNumber(), this.#segmentBytes, (opened, error) => {
      this.#isOpening = false;
      this.#spare = opened;
      const rotated = this.#rotated;
      if (opened === undefined) {
        this.#isSpareLate = true;
        if (rotated !== undefined) this.#onFailure(error);
        return;
      }
      this.#rotated = undefined;
      rotated?.();
    });
  }

  #open(
    number: number,
    sizeBytes: number,
    then: (...opened: [OpenSegment, undefined] | [undefined, Error]) => void,
  ): void {
    this.directory.open(segmentName(number), sizeBytes, (file, error) => {
      if (this.#isClosed) return file?.close();
      if (file === undefined) return then(undefined, error ?? new Error('the file was not opened'));
      const opened = { number, sizeBytes, file, offset: 0, lastIndex: 0, isMarked: false };
      then(opened, undefined);
    });
  }

  #mustOpen(number: number, sizeBytes: number, then: (opened: OpenSegment) => void): void {
    this.#open(number, sizeBytes, (opened, error) => {
      if (opened === undefined) this.#onFailure(error);
      else then(opened);
    });
  }

  #maybeGiveUp(): void {
    const oldest = this.#full[0];
    if (this.#isGivingUp || this.#isClosed || oldest === undefined) return;
    // A log of which only an unsynced mark remains would be an empty one after a crash.
    if (oldest.lastIndex >= this.#releasedFrom || !this.#current?.isMarked) return;
    this.#isGivingUp = true;
    const isSpareMissing = this.#spare === undefined && !this.#isOpening;
    if (isSpareMissing && oldest.sizeBytes === this.#segmentBytes) this.#recycle(oldest);
    else this.directory.remove(segmentName(oldest.number), (error) => this.#gaveUp(error));
  }

  #recycle(oldest: RecoveredSegment): void {
    const next = this.#nextNumber();
    this.#isOpening = true;
    this.directory.rename(segmentName(oldest.number), segmentName(next), (error) => {
      this.#isOpening = false;
      this.#gaveUp(error);
      // Opened at once, or from scratch where the renaming failed.
      if (!this.#isClosed) this.#prepareSpare();
    });
  }

  #gaveUp(error: Error | undefined): void {
    this.#isGivingUp = false;
    // A file that cannot be removed only takes room: the next trim tries again.
    if (error) return;
    this.#full.shift();
    this.#maybeGiveUp();
  }

  #nextNumber(): number {
    return (this.#current?.number ?? 0) + 1;
  }
}
