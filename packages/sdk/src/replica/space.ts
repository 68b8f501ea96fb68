/** One open space of a replica: base, tentative log, overlay, and the views of them. */
import type {
  BaseSnapshot, CommitEntry, Holder, LedgerLine, PageRow, ReceivedBase, Reception, ReplicaId, SpaceId,
  Summary, Update, UpdateId, Value,
} from '../protocol/index.js';
import type { App, Query, Tables } from '../model/index.js';
import type { SpaceHead, SpaceOwner, StoredReplicaSpace } from './changes.js';
import type { ConflictRecord } from './conflict.js';
import type { LiveQuery, View } from './live.js';
import type { Receipt, Stage } from './receipt.js';

export interface SpaceConfig {
  readonly app: App;
  readonly space: SpaceId;
  readonly replica: ReplicaId;
  /** The verified user of this replica: `tx.user` of own updates. */
  readonly user: string | null;
  readonly dev: boolean;
  readonly owner: SpaceOwner;
  readonly stored?: StoredReplicaSpace | undefined;
}

/** A tentative update as it stands now. */
export interface PendingUpdate {
  readonly id: UpdateId;
  readonly own: boolean;
  readonly name: string;
  readonly args: Value;
  readonly at: number;
  /** The mutation is unknown to this version of the app: kept and passed on, without effects here. */
  readonly opaque: boolean;
  readonly outcome: import('../protocol/index.js').Outcome;
  readonly effects: readonly import('../protocol/index.js').Effect[];
  /** Only for own ones. */
  readonly receipt: Receipt | undefined;
}

export declare class SpaceReplica implements Holder {
  constructor(config: SpaceConfig);

  // local calls
  /** Errors: `args-invalid`, `mutation-unknown`, `bad-value`, `too-many-pending`, `mutate-in-query`. */
  mutate(name: string, args: Value, now: number): Receipt;
  query<R>(fn: Query<R>, options?: { readonly view?: View }): R;
  live<R>(fn: Query<R>, options?: { readonly view?: View }): LiveQuery<R>;
  /** In stamp order, own and others'. The same array while nothing changed. */
  pending(): readonly PendingUpdate[];
  /** Own conflicts, oldest first. The same array while nothing changed. */
  conflicts(): readonly ConflictRecord[];
  accept(id: UpdateId): void;
  dismiss(id: UpdateId): void;
  retry(id: UpdateId, args: Value, now: number): Receipt;
  receipt(id: UpdateId): Receipt | undefined;
  /** Calls `fn` once per flush in which pending(), conflicts() or the head changed. */
  subscribe(fn: () => void): () => void;

  // for the owner
  flushNotifications(): void;
  /** Own updates up to this number are on disk. */
  saved(throughSeq: number): void;
  /** Issues all unsettled own updates anew; also after a change of the replica's id for other reasons. */
  reissue(replica: ReplicaId): void;
  readonly head: SpaceHead;
  readonly replica: ReplicaId;
  /** Committed tables and ledger at head.csn, for the layout. */
  readonly base: Tables;
  ledger(): LedgerLine[];
  /** Own tentative updates: how many, and the wall time of the oldest. */
  readonly unsettled: { readonly count: number; readonly oldestAt: number | undefined };
  stageOf(id: UpdateId): Stage | undefined;

  // Holder
  summary(): Summary;
  settledSeq(replica: string): number;
  entriesAfter(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed';
  tentativeAfter(cursor: number, maxUpdates: number): { readonly updates: readonly Update[]; readonly cursor: number };
  snapshot(): BaseSnapshot | undefined;
  receiveUpdates(updates: readonly Update[]): Reception;
  receiveCommits(history: string, entries: readonly CommitEntry[]): Reception;
  havePages(): readonly string[];
  receiveBase(base: ReceivedBase): Reception;
  pageByHash(hash: string): readonly PageRow[] | undefined;
  learned(summary: Summary, settledSeq: number): void;
}
