/**
 * All spaces and all links of one replica as one synchronous machine. Every input is a method that takes `now` (machine
 * time, ms, never decreasing); what follows comes out through `ReplicaEffects`.
 */
import type { App } from '../model/index.js';
import type { OxbowError, SpaceId } from '../protocol/index.js';
import type { LinkId, ReplicaEffects, Token } from './effects.js';
import type { SpaceReplica } from './space.js';

/** Records of one collection, in key order. */
export type Records = readonly (readonly [key: string, value: string])[];

/** What the store holds of one space, as read. */
export interface StoredRecords {
  readonly meta: Records;
  readonly updates: Records;
  readonly entries: Records;
  readonly pages: Records;
}

export interface MachineConfig {
  readonly app: App;
  /** Freeze rows, report nondeterminism of mutations. */
  readonly dev: boolean;
  /** For the jitter of pauses. */
  readonly seed: number;
  /** A fresh replica identity (UUID text). */
  readonly newId: () => string;
  readonly transports: readonly { readonly name: string; readonly hasToken: boolean }[];
  /** Who the app says that the user is; until a server has verified one. */
  readonly user?: string | null;
  readonly out: ReplicaEffects;
}

export interface ReplicaInputs {
  /** `stored`: what `spaceRanges` named, as read from the store. */
  openSpace(space: SpaceId, stored: StoredRecords, now: number): SpaceReplica;
  goOnline(now: number): void;
  goOffline(now: number): void;
  /** The network may be back, or the page is looked at again. */
  hurry(now: number): void;
  tokenFor(transport: number, ask: Token, token: string | undefined, now: number): void;
  tokenFailed(transport: number, ask: Token, error: OxbowError, now: number): void;
  linkOpened(link: LinkId, now: number): void;
  /** Never throws, whatever the text is. */
  frame(link: LinkId, text: string, now: number): void;
  linkClosed(link: LinkId, reason: string, now: number): void;
  persisted(token: Token, now: number): void;
  persistFailed(token: Token, error: OxbowError, now: number): void;
  /** The turn in which `flushSoon` was asked for has ended. */
  flush(now: number): void;
  tick(now: number): void;
}
