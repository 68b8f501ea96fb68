/**
 * The seam between the server and whatever makes its commits durable and ordered: a local
 * write-ahead log (one node), later Paxos. The payload is bytes: the log knows nothing of spaces.
 * Its laws are in `testing/commit-log-laws.ts`.
 */

import type { Member } from '../paxos/configuration.js';

export type LogLeadership =
  | { readonly kind: 'leading' }
  /** `leader`: where clients should go; undefined: nobody knows yet. */
  | { readonly kind: 'following'; readonly leader: Member | undefined };

export interface CommitLogEvents {
  /**
   * In slot order, each slot once per start, on disk when told. Own proposals carry their `tag`.
   */
  onChosen(slot: number, payload: Uint8Array, tag: number | undefined): void;
  /** Only a leader may propose. A one-node log leads from the end of its recovery on. */
  onLeadership(isLeader: boolean): void;
  /** The log can no longer promise durability: stop the node. */
  onFatal(error: Error): void;
}

export interface CommitLog {
  /** Replays every chosen slot after `appliedSlot`, then says who leads. */
  start(appliedSlot: number, events: CommitLogEvents): void;
  /** Appends; `onChosen` follows when it is durable. Throws `not-leader`, `log-full`. */
  propose(payload: Uint8Array, tag: number): void;
  /** The state up to `slot` is surely on disk elsewhere: the log may forget it. */
  trim(slot: number): void;
  /** Bytes proposed and not yet chosen. */
  readonly inFlightBytes: number;
  stop(done: () => void): void;
}
