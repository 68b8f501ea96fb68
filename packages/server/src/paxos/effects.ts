/**
 * What a member asks of the world. It only says it; the host does it, and what comes of it is a
 * later input. The order of calls is the order in which they must happen.
 */
import type { Ballot, MemberId } from './ballot.js';
import type { Configuration } from './configuration.js';
import type { PaxosMessage } from './message.js';
import type { Base, PaxosRecord } from './record.js';

export type Leadership =
  /** Everything earlier is chosen, and so is the leadership's own begin: it may propose. */
  | { readonly kind: 'leading'; readonly ballot: Ballot }
  | { readonly kind: 'following'; readonly leader: MemberId | undefined };

export type Chosen =
  /** `tag`: of the own proposal, when it was one of this leadership. */
  | { readonly kind: 'command'; readonly payload: Uint8Array; readonly tag: number | undefined }
  /** Begins, no-ops, stop-signs and void commands: the slot passes and the state stays. */
  | { readonly kind: 'nothing' };

export interface PaxosEffects {
  /** At once, in order per receiver; may be lost. */
  send(to: MemberId, message: PaxosMessage): void;
  persist(record: PaxosRecord): void;
  /**
   * Once everything persisted before is on disk. `to` may be the member itself: then it is an
   * input.
   */
  afterPersist(to: MemberId, message: PaxosMessage): void;
  /** In slot order, each slot once per start. */
  chosen(slot: number, chosen: Chosen): void;
  /**
   * What was proposed and not told as chosen is not known to take effect: propose anew elsewhere.
   */
  leadership(leadership: Leadership): void;
  /** It governs the slots from `configuration.fromSlot`. */
  configured(configuration: Configuration): void;
  /** `read(tag)` may be answered from a state that holds all slots up to `slot`. */
  readable(tag: number, slot: number): void;
  /** The read can't be answered here: no longer leader. */
  unreadable(tag: number): void;
  /**
   * The log that this member needs is gone everywhere it asked: fetch the state. Answer:
   * `installed`.
   */
  fetchState(from: MemberId): void;
  /** The records of slots up to base.slot are not needed on disk any more. */
  trimmed(base: Base): void;
  /** Voted out: nothing more will come. */
  removed(): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
}
