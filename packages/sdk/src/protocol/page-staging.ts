/**
 * Pages of a full transfer while it is under way. They outlive the link: a transfer that was cut
 * goes on with the pages that are here already, by their hashes, also when the base has moved on
 * meanwhile.
 */
import * as limits from './limits.js';
import type { PageRow } from './message.js';

export class PageStaging {
  readonly #charsMax: number;
  readonly #rowsByHash = new Map<string, readonly PageRow[]>();
  #isHolderTrusted = true;
  #chars = 0;

  constructor(charsMax: number = limits.stagedCharsMax) {
    this.#charsMax = charsMax;
  }

  /** False when there is no room: the transfer is too large. */
  put(hash: string, rows: readonly PageRow[], chars: number): boolean {
    if (this.#chars + chars > this.#charsMax) return false;
    if (!this.#rowsByHash.has(hash)) this.#chars += chars;
    this.#rowsByHash.set(hash, rows);
    return true;
  }

  rows(hash: string): readonly PageRow[] | undefined {
    return this.#rowsByHash.get(hash);
  }

  /**
   * A page that the holder promised could not be read: its base is not what it seems, all of it
   * must travel.
   */
  distrustHolder(): void {
    this.#isHolderTrusted = false;
  }

  get isHolderTrusted(): boolean {
    return this.#isHolderTrusted;
  }

  hashes(): IterableIterator<string> {
    return this.#rowsByHash.keys();
  }

  clear(): void {
    this.#rowsByHash.clear();
    this.#isHolderTrusted = true;
    this.#chars = 0;
  }
}
