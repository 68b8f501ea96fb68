/**
 * What a member keeps on disk: replaying its records in order gives back the acceptor's state. The
 * write-ahead log carries them for all groups of a node; how they become bytes is `codec/`'s
 * affair.
 */
import type { Ballot, MemberId } from './ballot.js';
import type { Configuration } from './configuration.js';
import type { Value } from './value.js';

/** Where a state stands whose log before it is gone. */
export interface Base {
  readonly slot: number;
  /** Governs slot + 1. */
  readonly configuration: Configuration;
  /** The leadership that a command at slot + 1 must continue to take effect; undefined: none. */
  readonly epoch: Ballot | undefined;
}

export type PaxosRecord =
  /** The first record of a member: which cluster it belongs to, and as whom. */
  | {
      readonly kind: 'joined';
      readonly cluster: string;
      readonly self: MemberId;
      readonly base: Base;
    }
  | { readonly kind: 'promised'; readonly ballot: Ballot }
  | {
      readonly kind: 'accepted';
      readonly ballot: Ballot;
      readonly slot: number;
      readonly value: Value;
    }
  /** Saves a restart from asking what it knew; never waited for. */
  | { readonly kind: 'chosen'; readonly upTo: number }
  /**
   * The state stands at `base.slot` or beyond on this disk: what the log held up to it may be gone.
   */
  | { readonly kind: 'trimmed'; readonly base: Base };
