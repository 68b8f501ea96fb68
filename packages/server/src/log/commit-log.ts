/**
 * The seam between the server and whatever makes its commits durable and ordered: a Paxos group, of
 * one member or of several. The payload is bytes: the log knows nothing of spaces. Its laws are in
 * `testing/commit-log-laws.ts`.
 */
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration, Member } from '../paxos/configuration.js';
import type { Base } from '../paxos/record.js';

export type LogLeadership =
  | { readonly kind: 'leading' }
  /** `leader`: where clients should go; undefined: nobody knows yet. */
  | { readonly kind: 'following'; readonly leader: Member | undefined };

/** What the state store says of itself. */
export interface AppliedState {
  /** Everything up to here is in it, surely on disk. */
  readonly slot: number;
  /** The cluster that it belongs to; undefined: none yet. */
  readonly cluster: string | undefined;
  /** Of a state that was taken in from elsewhere: where the log goes on. */
  readonly base: Base | undefined;
}

export interface CommitLogEvents {
  /** Once, before anything else. `cluster` names the history that the state belongs to. */
  onJoined(cluster: string, self: Member): void;
  /**
   * In slot order, each slot once per start, on a quorum's disks when told. `payload` undefined:
   * the slot changes nothing. Own proposals of this leadership carry their `tag`.
   */
  onChosen(slot: number, payload: Uint8Array | undefined, tag: number | undefined): void;
  /**
   * Only a leader may propose. What it proposed and was not told as chosen when it ceases is not
   * known to take effect.
   */
  onLeadership(leadership: LogLeadership): void;
  onConfigured(configuration: Configuration): void;
  /** The log that this node needs is gone everywhere: fetch the state. Answer: `installed`. */
  onStateNeeded(from: MemberId): void;
  /** The state was replaced by one that stands at `slot`. */
  onStateReplaced(slot: number): void;
  /**
   * Told instead of all others, at the start: what this node promised under its identity is not all
   * there (`log-damaged`, `log-behind-state`), or its state is not (`state-behind-log`). Under this
   * identity it must not vote again. Nothing on its disk was changed.
   */
  onLost(error: OxbowError): void;
  /** The log can no longer promise durability, or this node was voted out (`removed`): stop it. */
  onFatal(error: OxbowError): void;
}

export interface CommitLog {
  /** Replays every chosen slot after the state's, then says who leads. */
  start(state: AppliedState, events: CommitLogEvents): void;
  /**
   * `onChosen` follows when it is chosen. Throws `not-leader`, `log-full`, `payload-too-large`.
   */
  propose(payload: Uint8Array, tag: number): void;
  /**
   * A linearizable read: `done` with a slot when a state that holds it is as new as anything
   * acknowledged by anyone before the call; undefined: not leader, or no longer.
   */
  barrier(done: (slot: number | undefined) => void): void;
  /**
   * `done` once all that was told as chosen is on this node's own disk: at once when it is already.
   * Only then may it be applied to a state on disk. A state that is ahead of its log could not be
   * told from one whose log was lost.
   */
  flushed(done: () => void): void;
  /** The state up to `slot` is surely on disk elsewhere: the log may forget it. */
  trim(slot: number): void;
  /** Bytes proposed and not yet chosen. */
  readonly inFlightBytes: number;
  /** Hands leadership over where there is another to take it, then stops. */
  stop(done: () => void): void;
}
