/**
 * How own updates that are settled can be taken back. The rows that an update replaced are at hand
 * when it commits and later no more, so that is when its inverse is made and kept. Taking back is
 * an ordinary update (a log is only ever added to): it may be refused, and taken back itself.
 */
import { updateKey } from '../protocol/index.js';
import { undosMax } from '../protocol/limits.js';
import type { UpdateId, Value } from '../protocol/index.js';
import type { Receipt } from './receipt.js';

/** The inverse of a settled update of ours. */
export interface UndoRecord {
  readonly id: UpdateId;
  readonly csn: number;
  readonly name: string;
  /** Of the mutation, when it was made. */
  readonly version: number;
  readonly args: Value;
}

export class Undos {
  /** In csn order. */
  readonly #records = new Map<string, UndoRecord>();
  /** What took back what, as of this run of the program. */
  readonly #done = new Map<string, Receipt>();

  constructor(stored: readonly UndoRecord[]) {
    for (const record of stored.toSorted((a, b) => a.csn - b.csn)) this.put(record);
  }

  get(id: UpdateId): UndoRecord | undefined {
    return this.#records.get(updateKey(id));
  }

  /** The update that took this one back already. */
  doneFor(id: UpdateId): Receipt | undefined {
    return this.#done.get(updateKey(id));
  }

  /** Returns the oldest one, if it had to go to make room. */
  put(record: UndoRecord): UndoRecord | undefined {
    this.#records.set(updateKey(record.id), record);
    if (this.#records.size <= undosMax) return undefined;
    const [oldest] = this.#records.values();
    if (oldest !== undefined) this.#records.delete(updateKey(oldest.id));
    return oldest;
  }

  get list(): readonly UndoRecord[] {
    return [...this.#records.values()];
  }

  /** False: it was not there. */
  remove(id: UpdateId): boolean {
    return this.#records.delete(updateKey(id));
  }

  /** It was taken back by that update. */
  done(id: UpdateId, by: Receipt): void {
    this.#done.set(updateKey(id), by);
  }
}
