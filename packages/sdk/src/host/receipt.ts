/** What an author holds of an update, with the promise that the pure part cannot give. */
import type { UpdateId, Value } from '../protocol/index.js';
import type { FinalOutcome } from '../replica/conflict.js';
import type { Stall } from '../replica/health.js';
import type { Receipt as Held, Stage } from '../replica/receipt.js';
import type { Closing, Waiting } from './closing.js';

const STAGES: readonly Stage[] = ['local', 'saved', 'shared', 'committed'];

/** What a receipt has of its space. */
export interface ReceiptParts {
  readonly closing: Closing;
  undo(id: UpdateId): Receipt;
  /** Why nothing of the space moves. */
  stalled(): Stall | undefined;
}

/**
 * One update of ours: how far it has come, and what it has done.
 *
 * @example
 * const booking = { id: 'b1', room: 'blue', hour: 9, title: 'Planning', orElse: ['red'] };
 * const receipt = team.mutate.book(booking);
 * receipt.outcome; // { kind: 'applied' }: as things look here and now
 * const outcome = await receipt.until('committed'); // final; a refusal is an outcome, not a throw
 */
export class Receipt {
  readonly #held: Held;
  readonly #parts: ReceiptParts;

  constructor(held: Held, parts: ReceiptParts) {
    this.#held = held;
    this.#parts = parts;
  }

  /** Changes only if the update has to be issued anew under another replica id. */
  get id(): UpdateId {
    return this.#held.id;
  }

  get name(): string {
    return this.#held.name;
  }

  /** As given. */
  get args(): Value {
    return this.#held.args;
  }

  /** Wall time of the call, ms since 1970: `tx.now`. */
  get at(): number {
    return this.#held.at;
  }

  /**
   * `local`: in memory here. `saved`: on our disk. `shared`: another holder has it. `committed`: it
   * has its final place.
   */
  get stage(): Stage {
    return this.#held.stage;
  }

  /** What it does in the tentative view; may change until the stage is `committed`, never after. */
  get outcome(): FinalOutcome {
    return this.#held.outcome;
  }

  /**
   * Why it does not come further at present: what `health.stalled` says of its space, with a
   * documented code (`forbidden`: the server takes nothing of this user there). It is kept, and
   * goes out when that is over. Undefined while it moves, and once it is committed. `subscribe` of
   * the health tells when it may be another.
   */
  get stalled(): Stall | undefined {
    return this.stage === 'committed' ? undefined : this.#parts.stalled();
  }

  /**
   * Resolves with the outcome as soon as the update has come at least so far. Offline, `saved` is
   * reached and the later stages wait. A rejected update resolves too: its outcome is `rejected`
   * with code and detail. Rejects only with `replica-closed`, when the replica is closed before;
   * closing saves what is not saved yet; and with the reason of the signal, when that is aborted:
   * the update goes its way all the same.
   *
   * @example
   * await receipt.until('committed', { signal: AbortSignal.timeout(5_000) });
   */
  until(stage: Stage, { signal }: Waiting = {}): Promise<FinalOutcome> {
    const goal = STAGES.indexOf(stage);
    const hasCome = (): boolean => STAGES.indexOf(this.stage) >= goal;
    if (hasCome() && signal?.aborted !== true) return Promise.resolve(this.outcome);
    return this.#parts.closing.race<FinalOutcome>((resolve) => this.#held.onChange(() => {
      if (hasCome()) resolve(this.outcome);
    }), { signal, atEnd: () => (hasCome() ? { value: this.outcome } : undefined) });
  }

  /**
   * Takes it back by the inverse that its mutation declares: an update like any other, durable and
   * offline, whose own `undo` does it again. Asked twice it gives the same receipt. One that is
   * refused in the end takes its undo with it. Errors: `undo-rejected`, `undo-unknown` (no inverse,
   * or settled long ago), `bad-inverse`, and those of `mutate`.
   *
   * @example
   * const receipt = team.mutate.book(booking);
   * const undone = receipt.undo();
   * undone.undo(); // booked again
   */
  undo(): Receipt {
    return this.#parts.undo(this.id);
  }

  /**
   * Calls `fn` after stage, outcome or id have changed, never within `mutate`. Returns the way to
   * stop it.
   */
  subscribe(fn: () => void): () => void {
    return this.#held.onChange(fn);
  }
}
