/**
 * What a node asks of the world. The machine only says it; the host does it (host/node-host.ts),
 * and what comes of it is a later input. So one seed can replay a server with its disk and its
 * clients.
 */
import type { ReplicaId, SpaceId } from '@oxbow/sdk/protocol';
import type { SpaceEntries } from '../space/state-store.js';

/** Number of a link within one run of a node: never used twice. */
export type LinkId = number;

/**
 * What a verified token says. Rights by space pattern: 'team-42', or 'cal/*' for all that start
 * with 'cal/'.
 */
export interface Claims {
  readonly user: string | null;
  readonly spaces: Readonly<Record<string, 'r' | 'rw'>>;
  /** End of the token, ms since 1970. Absent: it does not end. */
  readonly expiresAtMs?: number;
}

/** A token that was not believed: `code` is told to the other side. */
export interface Refusal {
  readonly code: 'token-missing' | 'token-invalid' | 'token-expired';
  readonly message: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Things that are counted, for ever upwards. */
export type Counter =
  | 'links_opened'
  | 'links_refused'
  | 'frames_received'
  | 'frames_sent'
  | 'updates_received'
  | 'updates_duplicate'
  | 'updates_refused'
  | 'barriers_answered'
  | 'entries_committed'
  | 'entries_rejected'
  | 'slots_proposed'
  | 'spaces_loaded'
  | 'spaces_dropped';

/** Things of which the spread matters. */
export type Histogram =
  /** From the arrival of the slot's first update to its slot being chosen, ms. */
  | 'commit_ms'
  /** Entries in one slot. */
  | 'slot_entries';

export interface NodeEffects {
  /** Frames of one link leave in this order. */
  send(link: LinkId, frame: string): void;
  /**
   * End the link after what was sent before. The machine has forgotten it: no answer is awaited.
   */
  closeLink(link: LinkId, code: string): void;
  /** Answer: `verified`. */
  verify(link: LinkId, token: string | undefined, replica: ReplicaId): void;
  /** As of all `apply` that was asked before. Answer: `spaceLoaded` or `spaceLoadFailed`. */
  loadSpace(space: SpaceId): void;
  /**
   * To the commit log. Answer: `chosen` with the same tag, or `proposalRefused`, after the present
   * input. Stays within `limits.…InFlightMax`.
   */
  propose(payload: Uint8Array, tag: number): void;
  /**
   * To the commit log: up to which slot must a state have come that holds all that was acknowledged
   * by now? Answer: `barrierDone` with the same tag.
   */
  barrier(tag: number): void;
  /**
   * To the state store, in slot order. Answer: `applied`; several may be answered at once by the
   * last one's slot.
   */
  apply(slot: number, batches: readonly SpaceEntries[]): void;
  /** To the commit log: the state up to `slot` is on disk. */
  trim(slot: number): void;
  /**
   * Call `tick` at this time (ms since 1970) or after; replaces the former wish. `undefined`: no
   * need.
   */
  wakeAt(atMs: number | undefined): void;
  /**
   * Call `endTurn` once what has already arrived was given in: what comes until then shares one
   * slot.
   */
  endTurnSoon(): void;
  /** All that was accepted before `drain` is chosen, applied and told: the node may stop. */
  drained(): void;
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
  count(counter: Counter, by: number): void;
  observe(histogram: Histogram, value: number): void;
}
