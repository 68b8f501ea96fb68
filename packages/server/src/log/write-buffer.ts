/**
 * What was appended and not yet written, in one piece of memory that is used again and again: a
 * fresh array per flush would be cleared, filled and collected some thousand times a second. Links
 * are drafted here as they come and sealed (record.ts) when their turn to be written has come.
 */
import { invariant } from '@oxbow/sdk/protocol';
import { bytesOf, draftBytes, recordBytes, sealLink } from './record.js';
import type { Bytes, ChainEnd } from './record.js';

/** What a burst made larger than this is let go once all of it is written. */
const SHRINK_BYTES = 4 * 1024 * 1024;

export class WriteBuffer {
  readonly #initialBytes: number;
  #memory: Bytes;
  /** What waits: [start, end). */
  #start = 0;
  #end = 0;

  constructor(initialBytes: number) {
    this.#initialBytes = initialBytes;
    this.#memory = bytesOf(new Uint8Array(initialBytes));
  }

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  get memory(): Bytes {
    return this.#memory;
  }

  /** Makes room for a link and answers where to draft it, in `memory` as it is after this call. */
  reserve(payloadBytes: number): number {
    const size = recordBytes(payloadBytes);
    if (this.#end + size > this.#memory.bytes.length) this.#makeRoom(size);
    const offset = this.#end;
    this.#end += size;
    return offset;
  }

  /** Room that the first link takes. */
  firstBytes(): number {
    invariant(!this.isEmpty, 'something waits');
    return draftBytes(this.#memory.view, this.#start);
  }

  /**
   * Takes links from the front for as long as `fits`, sealed; their bytes are valid until the next
   * call of anything here.
   */
  take(chain: ChainEnd, fits: (bytes: number) => boolean): { bytes: Uint8Array; links: number } {
    const { bytes, view } = this.#memory;
    const from = this.#start;
    let to = from;
    let links = 0;
    while (to < this.#end && fits(to - from + draftBytes(view, to))) {
      to = sealLink(this.#memory, to, chain);
      links += 1;
    }
    this.#start = to;
    if (this.isEmpty) this.#rewind();
    return { bytes: bytes.subarray(from, to), links };
  }

  #rewind(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#memory.bytes.length > Math.max(SHRINK_BYTES, this.#initialBytes)) {
      this.#memory = bytesOf(new Uint8Array(this.#initialBytes));
    }
  }

  #makeRoom(size: number): void {
    const waiting = this.#end - this.#start;
    const { bytes } = this.#memory;
    if (waiting + size <= bytes.length) {
      bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(2 * bytes.length, waiting + size));
      larger.set(bytes.subarray(this.#start, this.#end));
      this.#memory = bytesOf(larger);
    }
    this.#start = 0;
    this.#end = waiting;
  }
}
