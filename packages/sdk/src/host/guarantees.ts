/**
 * Session guarantees across replicas (Terry et al., PDIS'94). Within one replica all four hold by
 * construction: writes are visible at once, nothing that was seen disappears except by the final
 * order, and both travel in causal order. A token carries them to another replica: the paper's
 * read vector (all that was held) and write vector (what was written), of which that one waits for
 * those that the wanted guarantees ask for. That a write is ordered after all that its replica
 * held, which two of them need, is so everywhere (protocol/exchange-receiver.ts).
 */
import { isSeatOf, type ReplicaId } from '../protocol/index.js';
import { loadSessionWait } from './on-demand.js';
import type { Covering, Seen, SessionParts, WaitOptions } from './session-wait.js';

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
   * `bad-session-token`, `part-unavailable`, `replica-closed`, the reason of the signal,
   * and those of `open`.
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
