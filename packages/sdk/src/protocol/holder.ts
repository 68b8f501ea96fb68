/**
 * What anti-entropy needs of whoever holds a space: the client's replica, the server's feed, later
 * any peer. The exchange (exchange.ts) asks and tells; the holder decides what is accepted.
 */
import type { ReplicaId, Summary } from './ids.js';
import type { CommitEntry, LedgerLine, Mark, Update } from './update.js';
import type { PageRow } from './message.js';

/** A frozen picture of the base at `csn`, cut into pages by the rule in page.ts. */
export interface BaseSnapshot {
  readonly history: string;
  readonly csn: number;
  readonly at: number;
  readonly lamport: number;
  readonly ledger: readonly LedgerLine[];
  /** Lazily, in table and key order. */
  pages(): Iterator<SnapshotPage>;
}
export interface SnapshotPage {
  readonly table: string;
  readonly hash: string;
  readonly rows: readonly PageRow[];
}

/**
 * `gap`: something before it is missing; the exchange asks again from the summary. `refused`: told
 * to the other side.
 */
export type Reception =
  | { readonly kind: 'ok' }
  | { readonly kind: 'gap' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface TentativeRun {
  readonly updates: readonly Update[];
  readonly cursor: number;
}

/** Sender's half: what can be passed on. */
export interface HolderSource {
  /**
   * Where histories differ its is right for whoever is served: it alone can meet a primary. By
   * default nobody's is but a primary's own.
   */
  readonly decidesHistory?: boolean;
  summary(): Summary;
  /** The settled sequence of that replica in the ledger; 0 if unknown. */
  settledSeq(replica: string): number;
  /** The newest update of that replica that is known here, settled or not, where that is kept. */
  newestOf?(replica: ReplicaId): Mark | undefined;
  /** The highest sequence of that replica that is here, though it may not be passed on yet. */
  heldSeq?(replica: ReplicaId): number;
  /**
   * Commit entries after `csn` in order, at most `maxEntries`; `trimmed` when the kept log does not
   * reach back.
   */
  entriesAfter(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed';
  /**
   * Tentative updates that may be sent now, after a cursor (opaque; start with 0). The order
   * respects causality. One that becomes sendable later comes behind every cursor given out before:
   * count arrivals, not places in stamp order, as an update of another replica can have an earlier
   * stamp.
   */
  tentativeAfter(cursor: number, maxUpdates: number): TentativeRun;
  /**
   * A snapshot for a full transfer, or undefined when one cannot be taken right now (the exchange
   * is pumped again later).
   */
  snapshot(): BaseSnapshot | undefined;
}

/** Receiver's half. */
export interface HolderSink {
  /** Each the next of its replica, its context held. After `ok` the summary covers them. */
  receiveUpdates(updates: readonly Update[]): Reception;
  /**
   * Dense from csn + 1 on: the exchange has dropped what was known. After `ok` the summary covers
   * them.
   */
  receiveCommits(history: string, entries: readonly CommitEntry[]): Reception;
  /** Page hashes that need not travel: of the present base and of an interrupted transfer. */
  havePages(): readonly string[];
  /**
   * A complete transfer; `rows` of a skipped page are looked up by hash in what `havePages`
   * promised.
   */
  receiveBase(base: ReceivedBase): Reception;
  /** The page with that hash, if `havePages` named it. */
  pageByHash(hash: string): readonly PageRow[] | undefined;
  /** What the other side says that it holds, with its `open` and its `opened`. */
  learned?(told: Told): void;
  /** An update came whose number is known here: refused if it is another one than that. */
  receiveAgain?(update: Update): Reception;
}
export interface Told {
  readonly summary: Summary;
  /** The sequence up to which our own updates are settled there; 0 if unknown. */
  readonly settledSeq: number;
  /** The newest of our own updates that is known there. */
  readonly newest?: Mark | undefined;
}
export interface ReceivedBase {
  readonly history: string;
  readonly csn: number;
  readonly at: number;
  readonly lamport: number;
  readonly ledger: readonly LedgerLine[];
  readonly pages: readonly SnapshotPage[];
}

export type Holder = HolderSource & HolderSink;
