/**
 * What `health` tells: progress, not the mood of a socket. A green light over updates that have not
 * moved for hours is the complaint that users of sync engines make most.
 */
import * as limits from '../protocol/limits.js';
import type { IdentityLoss } from './changes.js';
import type { LinkHealth } from './session.js';
import type { SpaceRefusal } from './peer.js';

/** Why something that should move does not. `code` is documented in docs/errors.md. */
export interface Stall {
  readonly code: string;
  readonly message: string;
}

/** Facts about one open space. */
export interface SpaceFacts {
  readonly links: readonly LinkHealth[];
  /** The commit sequence number that our base stands at. */
  readonly csn: number;
  /** Commits known to exist that we lack; undefined until a peer has told. */
  readonly behind: number | undefined;
  /** Rows that have come of a base that is being transferred; undefined while none is. */
  readonly arriving: number | undefined;
  /** Own updates without a final place, and the wall time of the oldest, ms. */
  readonly pending: number;
  /** Of these: not known to be with anybody else. */
  readonly unsynced: number;
  /** Of these: not even on our disk. */
  readonly unsaved: number;
  readonly oldestPendingAt: number | undefined;
  /** Undefined while things move, or nothing has to. */
  readonly stalled: Stall | undefined;
  /** What could not be read of it when it was opened. */
  readonly damage: Stall | undefined;
}

export interface StallFacts {
  readonly isWaiting: boolean;
  readonly isOnline: boolean;
  readonly links: readonly LinkHealth[];
  /** Why nothing can be saved. */
  readonly saveStall: Stall | undefined;
  /** Why own updates are withheld. */
  readonly lost: IdentityLoss | undefined;
  readonly refusal: SpaceRefusal | undefined;
  /** Since the last progress, or since the link lives, ms. */
  readonly idleMs: number;
}

export function stallOf(facts: StallFacts): Stall | undefined {
  const { isWaiting, isOnline, links, saveStall, lost, refusal, idleMs } = facts;
  if (refusal !== undefined) return refusal;
  if (saveStall !== undefined) return { code: saveStall.code, message: saveStall.message };
  if (lost !== undefined) return LOSSES[lost];
  if (!isWaiting) return undefined;
  if (!isOnline) return { code: 'offline', message: 'Offline on purpose: goOnline() sends what waits.' };
  // A link that is being replaced is no news yet.
  if (links.some(({ state }) => state === 'resuming')) return undefined;
  if (!links.some(({ state }) => state === 'live')) return notConnected(links);
  if (idleMs < limits.stallMs) return undefined;
  const seconds = Math.round(idleMs / 1000);
  return { code: 'no-progress', message: `Connected, but nothing has moved for ${seconds} s.` };
}

const CLONED: Stall = {
  code: 'replica-cloned',
  message: 'A copy of this store writes elsewhere. What waits here is sent under a new id once the other side has told what it knows.',
};

const LOSSES: Readonly<Record<IdentityLoss, Stall>> = {
  'cloned': CLONED,
  'history-changed': CLONED,
  'damaged': {
    code: 'store-damaged',
    message: 'Records of own updates are damaged. What is left is sent under a new id once the other side has told what it knows.',
  },
  'base-lost': {
    code: 'store-damaged',
    message: 'Committed data is damaged here. It is fetched again when there is a connection.',
  },
};

function notConnected(links: readonly LinkHealth[]): Stall {
  const refused = links.find(({ state }) => state === 'refused');
  if (refused?.code !== undefined) {
    return { code: refused.code, message: refused.reason ?? refused.code };
  }
  const reason = links.find((link) => link.reason !== undefined)?.reason;
  return { code: 'not-connected', message: reason ?? 'No connection yet.' };
}
