/** What the author of an update holds: how far it has come and what it has done, now and for good. */
import type { UpdateId, Value } from '../protocol/index.js';
import type { FinalOutcome } from './conflict.js';

/**
 * `local`: in memory here. `saved`: on our disk. `shared`: another holder has it. `committed`: it has its final place.
 * It goes back to `local` only if the update has to be issued anew under another replica id.
 */
export type Stage = 'local' | 'saved' | 'shared' | 'committed';

export interface Receipt {
  /** Changes only if the update is issued anew. */
  readonly id: UpdateId;
  readonly name: string;
  /** As given, copied. */
  readonly args: Value;
  /** Wall time at the call, ms. */
  readonly at: number;
  readonly stage: Stage;
  /** May change while the stage is not `committed`; final then. The same object while nothing changed. */
  readonly outcome: FinalOutcome;
  /** Calls `fn` after stage, outcome or id changed, once per flush. Returns the way to stop it. */
  onChange(fn: () => void): () => void;
}
