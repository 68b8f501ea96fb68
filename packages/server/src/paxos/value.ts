/**
 * What a slot holds. `origin` is the ballot under which the value was first proposed, and survives
 * being proposed again by later leaders.
 *
 * It is there because plain Multi-Paxos does not keep a primary's order: a leader that pipelines
 * may lose slot 7 (a later leader fills it with a no-op) and keep slot 8, whose payload was made on
 * top of what 7 would have done. Junqueira, Reed, Serafini, "Zab", DSN'11 §III. So a command takes
 * effect only as the unbroken continuation of its own leadership (`effect` below), every replica
 * decides that alike, and whoever proposed a void one proposes anew.
 */
import type { Ballot } from './ballot.js';
import type { Membership } from './configuration.js';

export type Value =
  | { readonly kind: 'command'; readonly origin: Ballot; readonly payload: Uint8Array }
  /** The first entry of a leadership: nothing of an older one takes effect after it. */
  | { readonly kind: 'begin'; readonly origin: Ballot }
  /** Fills a hole that no quorum can have accepted anything in. */
  | { readonly kind: 'no-op'; readonly origin: Ballot }
  /** The stop-sign: the last slot of its configuration. */
  | { readonly kind: 'stop'; readonly origin: Ballot; readonly next: Membership };
