/**
 * What one member of a group takes in. The Paxos machine implements it; host and simulation drive
 * it. Time is a clock that only grows and survives nothing: after a restart it starts anew.
 */
import type { MemberId } from './ballot.js';
import type { Configuration, Membership } from './configuration.js';
import type { Leadership } from './effects.js';
import type { PaxosMessage } from './message.js';
import type { Base } from './record.js';

export interface PaxosMember {
  readonly leadership: Leadership;
  /** The newest that is active. */
  readonly configuration: Configuration;
  /** trimmed ≤ applied ≤ chosen */
  readonly chosenSlot: number;
  /** Proposed here and not chosen. */
  readonly inFlightBytes: number;
  /**
   * Where a state at `slot` stands, for whoever exports it; undefined: not chosen here, or trimmed.
   */
  baseAt(slot: number): Base | undefined;
  tick(now: number): void;
  /** `from` is proven by the link. Never throws, whatever the message says. */
  receive(from: MemberId, message: PaxosMessage, now: number): void;
  /** The link to a member stands, or is cut. */
  linked(member: MemberId, isUp: boolean, now: number): void;
  /**
   * Errors: `not-leader`, `log-full`, `payload-too-large`. Answer: `chosen` with the tag, or a
   * change of leadership.
   */
  propose(payload: Uint8Array, tag: number, now: number): void;
  /** Answer: `readable` or `unreadable`. Errors: `not-leader`, `log-full`. */
  read(tag: number, now: number): void;
  /** Ends the configuration. Errors: `not-leader`, `change-under-way`, `config-invalid`. */
  change(next: Membership, now: number): void;
  /** Asks another voter to take over. Errors: `not-leader`, `config-invalid` (not a voter). */
  transfer(to: MemberId, now: number): void;
  /** The state on this disk stands at `slot`: the log may be trimmed behind it. */
  applied(slot: number, now: number): void;
  /** A state that stands at `slot` travels: the log after it is kept for `holdMs`. */
  hold(slot: number, now: number): void;
  /**
   * The state was replaced by one that stands at `base.slot`; undefined: it could not be fetched,
   * try again.
   */
  installed(base: Base | undefined, now: number): void;
}
