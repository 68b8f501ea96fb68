/** The newest commit entries, kept to be passed on and to tell what stood in an update's way. */
import type { CommitEntry, Row, UpdateId } from '../protocol/index.js';
import { invariant } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';

export interface KeptEntry {
  /** With its body. */
  readonly entry: CommitEntry;
  /**
   * The rows that its effects replaced, one each; undefined where that was before this run of the
   * program.
   */
  readonly before: readonly (Row | undefined)[] | undefined;
}

export class KeptLog {
  /** Dense by csn, ending at the space's csn. */
  #kept: KeptEntry[] = [];

  /** `trimmed` when something after `csn` is no longer kept; `head` is the space's csn. */
  after(csn: number, entriesMax: number, head: number): readonly CommitEntry[] | 'trimmed' {
    if (csn >= head) return [];
    const from = this.#indexOf(csn + 1);
    if (from < 0) return 'trimmed';
    return this.#kept.slice(from, from + entriesMax).map(({ entry }) => entry);
  }

  /** Those after `csn` that are still kept. */
  since(csn: number): readonly KeptEntry[] {
    return this.#kept.slice(Math.max(0, this.#indexOf(csn + 1)));
  }

  find({ replica, seq }: UpdateId): CommitEntry | undefined {
    const kept = this.#kept.findLast(
      ({ entry: { id } }) => id.seq === seq && id.replica === replica,
    );
    return kept?.entry;
  }

  entries(): CommitEntry[] {
    return this.#kept.map(({ entry }) => entry);
  }

  add(kept: KeptEntry): void {
    const last = this.#kept.at(-1);
    invariant(last === undefined || last.entry.csn + 1 === kept.entry.csn, 'the kept log is dense');
    this.#kept.push(kept);
  }

  /** Drops the oldest where there are too many. Returns the last csn dropped. */
  trim(): number | undefined {
    if (this.#kept.length <= limits.entriesKeptMax) return undefined;
    const left = Math.floor(limits.entriesKeptMax * 0.75);
    const dropped = this.#kept.splice(0, this.#kept.length - left);
    return dropped.at(-1)?.entry.csn;
  }

  clear(): void {
    this.#kept = [];
  }

  /** Negative: no longer kept. */
  #indexOf(csn: number): number {
    const first = this.#kept[0];
    return first === undefined ? -1 : csn - first.entry.csn;
  }
}

/** Whether the entry settles that very update, not another that bears its id. */
export function isEntryOf(
  entry: CommitEntry,
  update: { readonly lamport: number; readonly at: number; readonly name: string },
): boolean {
  const { lamport, body, madeAt = body?.at } = entry;
  return lamport === update.lamport
    && (madeAt === undefined || madeAt === update.at)
    && (body === undefined || body.name === update.name);
}

