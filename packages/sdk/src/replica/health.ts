/**
 * What `health` tells: progress, not the mood of a socket. A green light over updates that have not moved for hours is the
 * complaint that users of sync engines make most.
 */
import type { OxbowError } from '../protocol/index.js';
import { limits } from '../protocol/index.js';
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
  /** Own updates without a final place, and the wall time of the oldest, ms. */
  readonly pending: number;
  readonly oldestPendingAt: number | undefined;
  /** Undefined while things move, or nothing has to. */
  readonly stalled: Stall | undefined;
}

export interface StallFacts {
  readonly isWaiting: boolean;
  readonly isOnline: boolean;
  readonly links: readonly LinkHealth[];
  readonly saveError: OxbowError | undefined;
  readonly refusal: SpaceRefusal | undefined;
  /** Since the last progress, or since the link lives, ms. */
  readonly idleMs: number;
}

export function stallOf(facts: StallFacts): Stall | undefined {
  const { isWaiting, isOnline, links, saveError, refusal, idleMs } = facts;
  if (refusal !== undefined) return refusal;
  if (saveError !== undefined) return { code: saveError.code, message: saveError.message };
  if (!isWaiting) return undefined;
  if (!isOnline) return { code: 'offline', message: 'Offline on purpose: goOnline() sends what waits.' };
  // A link that is being replaced is no news yet.
  if (links.some(({ state }) => state === 'resuming')) return undefined;
  if (!links.some(({ state }) => state === 'live')) return notConnected(links);
  if (idleMs < limits.stallMs) return undefined;
  const seconds = Math.round(idleMs / 1000);
  return { code: 'no-progress', message: `Connected, but nothing has moved for ${seconds} s.` };
}

function notConnected(links: readonly LinkHealth[]): Stall {
  const refused = links.find(({ state }) => state === 'refused');
  if (refused?.code !== undefined) {
    return { code: refused.code, message: refused.reason ?? refused.code };
  }
  const reason = links.find((link) => link.reason !== undefined)?.reason;
  return { code: 'not-connected', message: reason ?? 'No connection yet.' };
}
