/**
 * The newest chosen entries of a space in memory: what most receivers lack. Who lacks more gets the
 * base.
 */
import { decodeEntry, encodeEntry } from '@oxbow/sdk/protocol';
import type { CommitEntry } from '@oxbow/sdk/protocol';

export interface KeptLogBounds {
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
}

/**
 * The newest stay as they are: subscribers are about to be sent them. Older ones are kept as text
 * only: a few hundred bytes without pointers, where an entry with its rows and arguments is two
 * kilobytes that the garbage collector walks and moves.
 */
const WARM = 8;
/** Dropped places at the front are given back in one go. */
const COMPACT_AT = 1_024;

export class KeptLog {
  readonly #bounds: KeptLogBounds;
  readonly #entries: (CommitEntry | string)[];
  readonly #chars: number[];
  #start = 0;
  #charsSum = 0;
  /** csn of the first kept entry; one after the last csn when none is kept. */
  #first: number;

  /**
   * `stored`: dense up to `csn`. Their text is not made before someone needs it, so they are
   * bounded by their number only, as they were in the store.
   */
  constructor(bounds: KeptLogBounds, stored: readonly CommitEntry[], csn: number) {
    this.#bounds = bounds;
    this.#entries = stored.slice(-bounds.keptEntriesMax);
    this.#chars = new Array<number>(this.#entries.length).fill(0);
    this.#first = csn + 1 - this.#entries.length;
  }

  get firstCsn(): number {
    return this.#first;
  }

  push(entry: CommitEntry, chars: number): void {
    this.#entries.push(entry);
    this.#chars.push(chars);
    this.#charsSum += chars;
    this.#cool(this.#entries.length - 1 - WARM);
    while (this.#isOver()) this.#dropFirst();
    if (this.#start < COMPACT_AT || this.#start * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#start);
    this.#chars.splice(0, this.#start);
    this.#start = 0;
  }

  after(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed' {
    if (csn + 1 < this.#first) return 'trimmed';
    const from = this.#start + csn + 1 - this.#first;
    return this.#entries.slice(from, from + maxEntries)
      .map((kept) => (typeof kept === 'string' ? decodeEntry(kept) : kept));
  }

  #cool(at: number): void {
    const kept = this.#entries[at];
    if (kept !== undefined && typeof kept !== 'string') this.#entries[at] = encodeEntry(kept);
  }

  #isOver(): boolean {
    const count = this.#entries.length - this.#start;
    const { keptEntriesMax, keptCharsMax } = this.#bounds;
    return count > 1 && (count > keptEntriesMax || this.#charsSum > keptCharsMax);
  }

  #dropFirst(): void {
    this.#charsSum -= this.#chars[this.#start] ?? 0;
    this.#start += 1;
    this.#first += 1;
  }
}
