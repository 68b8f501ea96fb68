/** An own update that did not go as asked, with what its author can do about it. */
import type { UpdateId, Value } from '../protocol/index.js';
import type { ConflictRecord, FinalOutcome, Obstacle } from '../replica/conflict.js';
import type { Receipt } from './receipt.js';

/** What a conflict wants of its space. */
export interface ConflictDesk {
  accept(id: UpdateId): void;
  dismiss(id: UpdateId): void;
  /** Undefined: the same arguments. */
  retry(id: UpdateId, args: Value): Receipt;
}

/**
 * Stays in `space.conflicts`, over restarts too, until it is accepted, dismissed or retried.
 *
 * @example
 * for (const conflict of team.conflicts) {
 *   const { name, args, outcome, obstacles } = conflict;
 *   console.log(name, 'asked', args, 'got', outcome, 'because of', obstacles);
 *   conflict.retry({ ...conflict.args, room: 'green' });
 * }
 */
export class Conflict {
  readonly #record: ConflictRecord;
  readonly #desk: ConflictDesk;

  constructor(record: ConflictRecord, desk: ConflictDesk) {
    this.#record = record;
    this.#desk = desk;
  }

  get id(): UpdateId {
    return this.#record.id;
  }

  /** The mutation. */
  get name(): string {
    return this.#record.name;
  }

  /** What was asked. */
  get args(): Value {
    return this.#record.args;
  }

  /** Wall time of the call, ms since 1970. */
  get askedAt(): number {
    return this.#record.askedAt;
  }

  /**
   * What was got: anything but `applied`. `rolled-back`: it was done (`was`), and then the server
   * was restored to a state from before that; it is not issued again unless `retry` is called.
   */
  get outcome(): FinalOutcome {
    return this.#record.outcome;
  }

  /** What the update had done here at first, row by row, and what it did in the end. */
  get attempt(): ConflictRecord['attempt'] {
    return this.#record.attempt;
  }

  get effects(): ConflictRecord['effects'] {
    return this.#record.effects;
  }

  /** Committed updates of others that stood in the way, oldest first. */
  get obstacles(): readonly Obstacle[] {
    return this.#record.obstacles;
  }

  /** Earlier updates of ours that it was built on and that were refused themselves. */
  get refused(): readonly UpdateId[] {
    return this.#record.refused;
  }

  /** It was refused only because of those, and its mutation says that its author is to be asked. */
  get needsReview(): boolean {
    const { outcome } = this.#record;
    return outcome.kind === 'rejected' && outcome.code === 'dependency-review';
  }

  /** Place in the final order (0: none, or unknown), and when it was settled, ms since 1970. */
  get csn(): number {
    return this.#record.csn;
  }

  get at(): number {
    return this.#record.at;
  }

  /** Takes what was got; the conflict leaves the list. */
  accept(): void {
    this.#desk.accept(this.id);
  }

  /** Puts it aside; the conflict leaves the list. */
  dismiss(): void {
    this.#desk.dismiss(this.id);
  }

  /**
   * Asks again with other arguments, or with the same; the conflict leaves the list. Errors:
   * `conflict-unknown` once it has left the list, and those of `mutate`.
   */
  retry(args?: Value): Receipt {
    return this.#desk.retry(this.id, args);
  }
}
