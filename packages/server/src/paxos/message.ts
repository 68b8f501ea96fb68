/**
 * What members say to each other. Links are first in, first out, and may lose everything at any
 * moment; a message is never trusted to have arrived. Sizes are bounded by `limits.ts`.
 */
import type { Ballot } from './ballot.js';
import type { Value } from './value.js';

export interface AcceptedValue {
  readonly slot: number;
  readonly ballot: Ballot;
  readonly value: Value;
}

export type PaxosMessage =
  /** Would you promise this? Changes nothing at the receiver. */
  | { readonly kind: 'pre-prepare'; readonly ballot: Ballot; readonly fromSlot: number }
  | { readonly kind: 'pre-promise'; readonly ballot: Ballot; readonly isGranted: boolean; readonly promised: Ballot | undefined }
  /** Phase 1a, over all slots from `fromSlot`. `isHandover`: the leader itself asked for it. */
  | { readonly kind: 'prepare'; readonly ballot: Ballot; readonly fromSlot: number; readonly isHandover: boolean }
  /**
   * Phase 1b. `accepted`: of the slots from max(fromSlot, chosenUpTo + 1), in order, in parts;
   * `part`: how many values the earlier parts hold, so that parts of two answers never mix. Slots
   * up to `chosenUpTo` are chosen, those up to `trimmedUpTo` moreover forgotten.
   */
  | {
      readonly kind: 'promise';
      readonly ballot: Ballot;
      readonly part: number;
      readonly isLast: boolean;
      readonly accepted: readonly AcceptedValue[];
      readonly chosenUpTo: number;
      readonly trimmedUpTo: number;
    }
  /** To whoever speaks with a ballot below the promised one. */
  | { readonly kind: 'refused'; readonly ballot: Ballot; readonly promised: Ballot }
  /** Phase 2a: `values` for the slots from `firstSlot` on. */
  | {
      readonly kind: 'accept';
      readonly ballot: Ballot;
      readonly firstSlot: number;
      readonly values: readonly Value[];
      readonly chosenUpTo: number;
    }
  /** Phase 2b: everything up to `upTo` is chosen, or accepted under this ballot, and on disk. */
  | { readonly kind: 'accepted'; readonly ballot: Ballot; readonly upTo: number; readonly chosenUpTo: number }
  /** Doubles as lease request and read round: `round` grows with each one of a ballot. */
  | { readonly kind: 'heartbeat'; readonly ballot: Ballot; readonly round: number; readonly chosenUpTo: number; readonly lastSlot: number }
  /**
   * `upTo`: as in `accepted`, but perhaps not on disk yet: it finds losses, and is never a vote.
   */
  | { readonly kind: 'heard'; readonly ballot: Ballot; readonly round: number; readonly upTo: number; readonly chosenUpTo: number; readonly appliedUpTo: number }
  /** Tell me what was chosen from this slot on. */
  | { readonly kind: 'learn'; readonly fromSlot: number }
  | { readonly kind: 'chosen'; readonly firstSlot: number; readonly values: readonly Value[]; readonly chosenUpTo: number }
  /** The answer to `learn` when the slot is gone: take the state instead. */
  | { readonly kind: 'trimmed'; readonly upTo: number }
  /** From a leader that leaves: stand for election now. */
  | { readonly kind: 'take-over'; readonly ballot: Ballot }
  /** To one that is in no configuration any more. */
  | { readonly kind: 'removed'; readonly configurationNumber: number };
