/**
 * Session guarantees across replicas (Terry et al., PDIS'94). Within one replica all four hold by
 * construction: writes are visible at once, nothing that was seen disappears except by the final
 * order, and both travel in causal order. A token carries them to another replica: the paper's
 * read vector (all that was held) and write vector (what was written), of which that one waits for
 * those that the wanted guarantees ask for. That a write is ordered after all that its replica
 * held, which two of them need, is so everywhere (protocol/exchange-receiver.ts).
 */
import type { Clock } from '../drivers/clock.js';
import {
  isSeatOf,
  type Holder, type LedgerLine, type ReplicaId, type SpaceId, type Summary, type UpdateId,
  type VersionVector,
} from '../protocol/index.js';
import type { Closing } from './closing.js';
import { loadSessionWait } from './on-demand.js';

/** A space as far as guarantees go. */
export interface Covering extends Pick<Holder, 'summary' | 'settledSeq'> {
  /** Those that are not saved yet are not in the summary, but in the tentative view. */
  pending(): readonly { readonly id: UpdateId; readonly own: boolean }[];
  ledger(): readonly Pick<LedgerLine, 'replica' | 'seq'>[];
  readonly profile: ReplicaId;
  subscribe(fn: () => void): () => void;
}

export interface SessionParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly closing: Closing;
  readonly openSpaces: () => readonly (readonly [space: SpaceId, replica: Covering])[];
  readonly open: (space: SpaceId) => Promise<Covering>;
}

/**
 * What goes on at another replica. `read-your-writes`: what the session wrote is seen there.
 * `monotonic-reads`: all that it saw is. `writes-follow-reads`: what it writes there comes after
 * all that it saw. `monotonic-writes`: after all that it wrote.
 */
export type Guarantee =
  'read-your-writes' | 'monotonic-reads' | 'writes-follow-reads' | 'monotonic-writes';

export interface WaitOptions {
  /** Default: 10,000. */
  readonly timeoutMs?: number;
  /** Default: all four. */
  readonly guarantees?: readonly Guarantee[];
}

/** Of one space. */
export interface Seen {
  /** Everything that was held. */
  readonly read: Summary;
  /** Of that, what the session's own replica wrote. */
  readonly wrote: VersionVector;
}

/**
 * What this session has written and seen.
 *
 * @example
 * // Travels by any way: a link, a QR code.
 * const token = phone.session().token();
 * await laptop.session().waitFor(token, { timeoutMs: 5_000 });
 * // The laptop now shows what the phone showed.
 */
export class Session {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * Names all that the open spaces of this replica hold now, own updates included. Text, without
   * secrets.
   */
  token(): string {
    const spaces = this.#parts.openSpaces().map(([space, replica]) => [space, seenIn(replica)]);
    return JSON.stringify({ oxbow: 'session', spaces: Object.fromEntries(spaces) });
  }

  /**
   * Resolves when the guarantees hold here for what the token names; spaces that are not open are
   * opened. Offline it can only wait. Rejects with `session-behind` when the time is over,
   * `bad-session-token`, `part-unavailable`, `replica-closed`, and those of `open`.
   */
  async waitFor(token: string, options: WaitOptions = {}): Promise<void> {
    const { waitForSeen } = await loadSessionWait();
    await waitForSeen(this.#parts, token, options);
  }
}

function seenIn(replica: Covering): Seen {
  const { history, csn } = replica.summary();
  const vector: Record<ReplicaId, number> = {};
  const wrote: Record<ReplicaId, number> = {};
  for (const { replica: author, seq } of replica.ledger()) {
    if (isSeatOf(replica.profile, author)) wrote[author] = seq;
  }
  for (const { id, own } of replica.pending()) {
    vector[id.replica] = Math.max(vector[id.replica] ?? 0, id.seq);
    if (own) wrote[id.replica] = Math.max(wrote[id.replica] ?? 0, id.seq);
  }
  return { read: { history, csn, vector }, wrote };
}
