/**
 * What the author of an update holds: how far it has come and what it has done, now and for good.
 */
import type { Outcome, Update, UpdateId, Value } from '../protocol/index.js';
import { newListeners } from './listeners.js';
import type { Listeners } from './listeners.js';

/**
 * `local`: in memory here. `saved`: on our disk. `shared`: another holder has it. `committed`: it
 * has its final place. It goes back to `local` only if the update has to be issued anew under
 * another replica id.
 */
export type Stage = 'local' | 'saved' | 'shared' | 'committed';

/**
 * `unknown`: settled, but its entry was no longer kept anywhere when we came back; only the rows
 * tell what is so. `rolled-back`: it was done, and then the server was restored to a state from
 * before that.
 */
export type FinalOutcome =
  | Outcome
  | { readonly kind: 'unknown' }
  | { readonly kind: 'rolled-back'; readonly was: Exclude<Outcome, { readonly kind: 'rejected' }> };

export interface Receipt {
  /** Changes only if the update is issued anew. */
  readonly id: UpdateId;
  readonly name: string;
  /** As given, copied. */
  readonly args: Value;
  /** Wall time at the call, ms. */
  readonly at: number;
  readonly stage: Stage;
  /**
   * May change while the stage is not `committed`; final then. The same object while nothing
   * changed.
   */
  readonly outcome: FinalOutcome;
  /** Calls `fn` after stage, outcome or id changed, once per flush. Returns the way to stop it. */
  onChange(fn: () => void): () => void;
  /** What the host has made of it for the app, once. */
  shown?: object | undefined;
}

/** What it tells of: a place in the log. */
export interface Receipted {
  readonly update: Update;
  readonly stage: Stage;
  readonly outcome: FinalOutcome;
}

/** Of an update that was in the log since this space was opened. */
export class UpdateReceipt implements Receipt {
  #entry: Receipted;
  #listeners: Listeners | undefined;
  shown: object | undefined;

  constructor(entry: Receipted) {
    this.#entry = entry;
  }

  get id(): UpdateId {
    return this.#entry.update.id;
  }

  get name(): string {
    return this.#entry.update.name;
  }

  get args(): Value {
    return this.#entry.update.args;
  }

  get at(): number {
    return this.#entry.update.at;
  }

  get stage(): Stage {
    return this.#entry.stage;
  }

  get outcome(): FinalOutcome {
    return this.#entry.outcome;
  }

  get listeners(): Listeners | undefined {
    return this.#listeners;
  }

  onChange(fn: () => void): () => void {
    this.#listeners ??= newListeners();
    return this.#listeners.add(fn);
  }

  /** The update was issued anew as that one. */
  follow(entry: Receipted): void {
    this.#entry = entry;
  }
}

/**
 * Of an update that was settled before this space was opened: nothing about it changes any more.
 */
export function settledReceipt(facts: Omit<Receipt, 'stage' | 'onChange'>): Receipt {
  const { id, name, args, at, outcome } = facts;
  return { id, name, args, at, stage: 'committed', outcome, onChange: () => () => undefined };
}
