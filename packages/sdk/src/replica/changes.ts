/**
 * What a space tells its owner. A space decides what must be on disk, never how it lies there: it
 * names each change, in the order in which it happened, and the layout turns all that were named in
 * one turn into one atomic write. `StoredReplicaSpace` is the way back.
 */
import type {
  BaseSnapshot, CommitEntry, LedgerLine, OxbowError, ReplicaId, Update, UpdateId,
} from '../protocol/index.js';
import type { KeptPage } from './kept-page.js';
import type { ConflictRecord } from './conflict.js';
import type { UndoRecord } from './undo.js';

/** A tentative update as it is kept. */
export interface StoredUpdate {
  readonly update: Update;
}

/** The small facts of a space that change with almost everything. */
export interface SpaceHead {
  /** Empty while nothing was ever received; then `csn` is 0. */
  readonly history: string;
  readonly csn: number;
  /** Commit timestamp at `csn`, ms. */
  readonly at: number;
  /** Highest Lamport counter among the commits up to `csn`. */
  readonly lamport: number;
  /** The profile's id: all own tentative updates bear it, or that of a seat of it (seats.ts). */
  readonly replica: ReplicaId;
  /** Own updates are withheld. Kept, as what showed it may be gone at the next start. */
  readonly lost?: IdentityLoss;
  /** Ids that the profile had before, the newest last; at most `limits.formerIdsMax`. */
  readonly former?: readonly ReplicaId[];
}

/**
 * Where a space puts what must be kept. Calls of one turn belong into one atomic write. Rows and
 * values are shared with the space and never changed in place, so they may be encoded later in the
 * same turn.
 */
export interface ReplicaChanges {
  updateAdded(stored: StoredUpdate): void;
  /** Settled, dropped with its history, or issued anew. */
  updateRemoved(id: UpdateId): void;
  /**
   * In csn order, dense, each with its body. They are part of the kept log and lie over the base on
   * disk.
   */
  entriesCommitted(entries: readonly CommitEntry[]): void;
  /** The kept log no longer reaches back to these: gone for good once the base on disk has them. */
  entriesTrimmed(throughCsn: number): void;
  /** A full transfer: base, ledger and kept log (now empty) are replaced as a whole. */
  baseReplaced(snapshot: BaseSnapshot): void;
  /** New, or different. */
  conflictPut(record: ConflictRecord): void;
  conflictRemoved(id: UpdateId): void;
  undoPut(record: UndoRecord): void;
  undoRemoved(id: UpdateId): void;
  headChanged(head: SpaceHead): void;
}

export interface StoredTable {
  readonly table: string;
  /** In key order. */
  readonly pages: readonly KeptPage[];
}

/** What the disk gave back; everything as of `head.csn`. */
export interface StoredReplicaSpace {
  readonly head: SpaceHead;
  /** Each table once, its rows in key order. */
  readonly tables: readonly StoredTable[];
  readonly ledger: readonly LedgerLine[];
  /** The kept log: dense, in csn order, ending at `head.csn`; may be empty. */
  readonly entries: readonly CommitEntry[];
  /** In any order. */
  readonly updates: readonly StoredUpdate[];
  readonly conflicts: readonly ConflictRecord[];
  readonly undos: readonly UndoRecord[];
  /** The highest number that was given to an own update under `head.replica`, as far as known. */
  readonly issued: number;
  /** The same for the profile's other seats, by number. */
  readonly issuedBySeat?: Readonly<Record<number, number>> | undefined;
}

/** Why our updates cannot go out under the present replica id. */
export type IdentityLoss =
  /**
   * Someone else wrote under our id, or a former self did whose memory we lack (a restored backup).
   */
  | 'cloned'
  /**
   * The sequence of commits is another one, which may lack updates of ours that the former had
   * settled.
   */
  | 'history-changed'
  /**
   * Records on our disk are damaged: own updates may be missing, and their numbers known elsewhere.
   */
  | 'damaged'
  /**
   * Our committed data is damaged and comes again; until then nobody here knows which of our
   * updates are settled.
   */
  | 'base-lost';

/**
 * What a space needs of whoever owns it: the machine, a test. Nothing of it is called while a
 * mutation or a query runs. Opening a space may already name changes.
 */
export interface SpaceOwner {
  readonly changes: ReplicaChanges;
  /**
   * Call `flushNotifications` at the end of the present turn. Asked once until that has happened.
   */
  flushSoon(): void;
  /** Own updates are ready to be sent, or updates and entries of others to be passed on. */
  pump(): void;
  /**
   * Called at the end of the reception that showed it. Own updates stay here (they are not sent)
   * until `reissue` is called with a fresh replica id. Not before it is known which of them are
   * settled: one that is, and is issued anew, happens twice.
   */
  identityLost(loss: IdentityLoss): void;
  /** A subscriber threw: it was not allowed to disturb the others. */
  report(error: OxbowError): void;
}
