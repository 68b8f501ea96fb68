/**
 * The segment files in a row: one is written, the next is made ready ahead of need, old ones are removed behind the trimmed
 * slot. Files are removed oldest first, one at a time, so that what remains is always a row without holes.
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
  lastSlot: number;
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
  #isRemoving = false;
  #isClosed = false;
  #trimmedSlot = 0;
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
   * Makes the end of the chain the place of the next append, with room for at least a mark. What a killed process had
   * written there is synced first: the next append may go to another file.
   */
  resume(log: RecoveredLog, then: () => void): void {
    const tail = log.segments.at(-1) ?? { number: 1, sizeBytes: this.#segmentBytes };
    this.#full = log.segments.slice(0, -1);
    this.#open(tail.number, tail.sizeBytes, (opened) => {
      opened.offset = log.endOffset;
      opened.lastSlot = log.last.slot;
      this.#current = opened;
      this.#sync(opened.file, () => (this.hasRoom(MARK_BYTES) ? then() : this.rotate(then)));
    });
  }

  hasRoom(bytes: number): boolean {
    const current = this.#current;
    return current !== undefined && current.offset + bytes <= current.sizeBytes;
  }

  /** One write and one sync; `then` when it is on disk. After a failure nothing is called any more but `onFailure`. */
  append(bytes: Uint8Array, lastSlot: number, then: () => void): void {
    const current = this.#current;
    invariant(current !== undefined && this.hasRoom(bytes.length), 'appends go where room is');
    current.file.write(current.offset, bytes);
    current.offset += bytes.length;
    current.lastSlot = lastSlot;
    this.#sync(current.file, () => {
      current.isMarked = true;
      this.#maybeRemove();
      then();
    });
    if (current.offset * 2 > current.sizeBytes) this.#prepareSpare(current.number + 1);
  }

  /** Makes the next segment the current one. Nothing may be under way in the present one. */
  rotate(then: () => void): void {
    invariant(this.#rotated === undefined, 'one rotation at a time');
    this.#rotated = then;
    if (this.#spare !== undefined) this.#swap();
    else this.#prepareSpare((this.#current?.number ?? 0) + 1);
  }

  trim(slot: number): void {
    this.#trimmedSlot = Math.max(this.#trimmedSlot, slot);
    this.#maybeRemove();
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.file.close();
    this.#spare?.file.close();
    this.#current = undefined;
    this.#spare = undefined;
  }

  #sync(file: SegmentFile, then: () => void): void {
    file.sync((error) => {
      if (this.#isClosed) return;
      if (error) this.#onFailure(error);
      else then();
    });
  }

  #prepareSpare(number: number): void {
    if (this.#spare !== undefined || this.#isOpening) return;
    this.#isOpening = true;
    this.#open(number, this.#segmentBytes, (opened) => {
      this.#isOpening = false;
      this.#spare = opened;
      if (this.#rotated !== undefined) this.#swap();
    });
  }

  #swap(): void {
    const [former, next, then] = [this.#current, this.#spare, this.#rotated];
    invariant(former !== undefined && next !== undefined, 'a rotation has two segments');
    former.file.close();
    const { number, sizeBytes, lastSlot } = former;
    this.#full.push({ number, sizeBytes, lastSlot });
    next.lastSlot = lastSlot;
    this.#current = next;
    this.#spare = undefined;
    this.#rotated = undefined;
    then?.();
  }

  #open(number: number, sizeBytes: number, then: (opened: OpenSegment) => void): void {
    this.directory.open(segmentName(number), sizeBytes, (file, error) => {
      if (this.#isClosed) return file?.close();
      if (file === undefined) return this.#onFailure(error ?? new Error('the file was not opened'));
      then({ number, sizeBytes, file, offset: 0, lastSlot: 0, isMarked: false });
    });
  }

  #maybeRemove(): void {
    const oldest = this.#full[0];
    if (this.#isRemoving || this.#isClosed || oldest === undefined) return;
    // A log of which only an unsynced mark remains would be an empty one after a crash.
    if (oldest.lastSlot > this.#trimmedSlot || !this.#current?.isMarked) return;
    this.#isRemoving = true;
    this.directory.remove(segmentName(oldest.number), (error) => {
      this.#isRemoving = false;
      // A file that cannot be removed only takes room: the next trim tries again.
      if (error) return;
      this.#full.shift();
      this.#maybeRemove();
    });
  }
}
