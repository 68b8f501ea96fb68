/**
 * The server as one synchronous machine: links and their rights, spaces and their actors, batches towards the commit
 * log, feed towards subscribers. Every input is a method; what follows comes out through `NodeEffects`.
 */
import type { App } from '@oxbow/sdk/model';
import type { OxbowError, SpaceId } from '@oxbow/sdk/protocol';
import type { StoredSpace } from '../space/state-store.js';
import type { Claims, LinkId, NodeEffects, Refusal } from './effects.js';
import type { NodeLimits } from './limits.js';

/** Pure functions that the language's core lacks: UTF-8 both ways. */
export interface Utf8 {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export interface NodeConfig {
  readonly app: App;
  /** Identity of the state store: the name of the sequence that csn counts in. */
  readonly history: string;
  /** Where the state store stands: `StateStore.opened`. */
  readonly appliedSlot: number;
  /** Freeze rows and report nondeterminism of mutations. */
  readonly dev: boolean;
  readonly utf8: Utf8;
  readonly limits: NodeLimits;
}

export interface NodeGauges {
  readonly links: number;
  readonly spaces: number;
  readonly slotsInFlight: number;
  readonly entriesInFlight: number;
  readonly slotsUnapplied: number;
  readonly linksWaiting: number;
}

export interface NodeInputs {
  linkOpened(link: LinkId, now: number): void;
  /** Never throws, whatever the text is. */
  frame(link: LinkId, text: string, now: number): void;
  linkClosed(link: LinkId, now: number): void;
  verified(link: LinkId, result: Claims | Refusal, now: number): void;
  /** `stored` undefined: the space has never been written. */
  spaceLoaded(space: SpaceId, stored: StoredSpace | undefined, now: number): void;
  spaceLoadFailed(space: SpaceId, error: OxbowError, now: number): void;
  /** From the commit log; `tag` undefined: not proposed in this run (a replay). */
  chosen(slot: number, payload: Uint8Array, tag: number | undefined, now: number): void;
  leadership(isLeader: boolean, now: number): void;
  /** The state store stands at `slot`, surely on disk. */
  applied(slot: number, now: number): void;
  tick(now: number): void;
  /** Everything that arrived together has been given in: propose it, tell subscribers. */
  endTurn(now: number): void;
  /** Take no more work, finish what is in flight, then `NodeEffects.drained`. */
  drain(now: number): void;
  gauges(): NodeGauges;
}
