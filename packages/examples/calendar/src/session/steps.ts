/**
 * What was done here, step by step, to be taken back by a click right after it, or by key, one step
 * after the other. The replica does the work: each update has an inverse of its own (app.ts), and
 * taking back is a change like any other, offline too, which may be taken back itself. A step may
 * be several updates, as one form is. Remembered as long as the page is open.
 */
import { OxbowError } from '@oxbow/sdk';
import type { Receipt } from '@oxbow/sdk';

const STEPS_MAX = 100;

interface Step {
  /** “Planning” booked. */
  readonly words: string;
  readonly receipts: readonly Receipt[];
  /** Why it cannot be taken back, where that is known from the start. */
  readonly stuck: string | undefined;
}

/** What came of it, in words. */
export interface Turned {
  readonly words: string;
  /** What turned it. */
  readonly receipts: readonly Receipt[];
  /** Nothing of it was taken back. */
  readonly refused: string | undefined;
}

export class Steps {
  #done: Step[] = [];
  #undone: Step[] = [];
  #open: Receipt[] | undefined;

  /** What `act` writes is one step. */
  take<R>(words: string, act: () => R, stuck?: string): R {
    const receipts: Receipt[] = [];
    this.#open = receipts;
    try {
      return act();
    } finally {
      this.#open = undefined;
      if (receipts.length > 0) {
        this.#done = [...this.#done, { words, receipts, stuck }].slice(-STEPS_MAX);
        this.#undone = [];
      }
    }
  }

  wrote(receipt: Receipt): void {
    this.#open?.push(receipt);
  }

  /** Takes the last step back; undefined: there is none. */
  undo(): Turned | undefined {
    const step = this.#done.pop();
    if (step === undefined) return undefined;
    const turned = turn(step);
    if (turned.refused === undefined) this.#undone.push({ ...step, receipts: turned.receipts });
    return turned;
  }

  /** Does again what was taken back last. */
  redo(): Turned | undefined {
    const step = this.#undone.pop();
    if (step === undefined) return undefined;
    const turned = turn(step);
    if (turned.refused === undefined) this.#done.push({ ...step, receipts: turned.receipts });
    return turned;
  }
}

/** The last update of it first. */
function turn({ words, receipts, stuck }: Step): Turned {
  if (stuck !== undefined) return { words, receipts: [], refused: stuck };
  const turned: Receipt[] = [];
  let refused: string | undefined;
  for (const receipt of receipts.toReversed()) {
    try {
      turned.push(receipt.undo());
    } catch (error) {
      if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
      refused ??= REASONS[error.code] ?? error.message;
    }
  }
  return { words, receipts: turned, refused: turned.length === 0 ? refused : undefined };
}

const REASONS: Readonly<Record<string, string>> = {
  'undo-rejected': 'It was refused, so there is nothing to take back.',
  'undo-unknown': 'Nothing is left of it to take back, or it is too long ago.',
  'mutation-unknown': 'A newer version of this page did it: load that first.',
};
