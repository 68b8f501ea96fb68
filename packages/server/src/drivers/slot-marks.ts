/**
 * Slots at whose exact state somebody wants to look, although slots are written together: a run of
 * slots ends at the lowest mark, and the picture is taken before the next one begins.
 */
import { OxbowError } from '@oxbow/sdk/protocol';

export interface Mark {
  readonly slot: number;
  readonly take: (error?: Error) => void;
}

export class SlotMarks {
  #marks: Mark[] = [];

  /** The slot that no run may pass. */
  get lowest(): number {
    return this.#marks.reduce((least, { slot }) => Math.min(least, slot), Infinity);
  }

  /** `reached`: the slot that is written, or being written. */
  add(mark: Mark, reached: number): void {
    if (mark.slot >= reached) this.#marks.push(mark);
    else mark.take(slotPassed(mark.slot, reached));
  }

  /**
   * Everything up to `applied` is written; `next`: the slot that is written after it, if that is
   * known.
   */
  reached(applied: number, next: number | undefined): void {
    const isDue = ({ slot }: Mark): boolean =>
      slot <= applied || (next !== undefined && slot < next);
    const due = this.#marks.filter(isDue);
    this.#marks = this.#marks.filter((mark) => !isDue(mark));
    for (const { take } of due) take();
  }

  fail(error: Error): void {
    for (const { take } of this.#marks.splice(0)) take(error);
  }
}

function slotPassed(slot: number, reached: number): OxbowError {
  return new OxbowError(
    'slot-passed',
    `Cannot look at the state of slot ${slot}: it stands at ${reached}. Ask before the slot is applied.`,
  );
}
