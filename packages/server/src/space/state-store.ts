/**
 * Applied state on disk, behind the commit log. One `apply` is one atomic transaction that carries the
 * slot it brings the state to (etcd v3.5 lost writes by keeping the two apart). The store does not know where the order came from.
 */
import type { CommitEntry, KeyText, LedgerLine, Row, SpaceId } from '@oxbow/sdk/protocol';

export interface SpaceHead {
  readonly csn: number;
  /** Commit timestamp of the last entry, ms. */
  readonly at: number;
  readonly lamport: number;
}

export interface StoredSpace {
  readonly head: SpaceHead;
  readonly rows: readonly { readonly table: string; readonly key: KeyText; readonly row: Row }[];
  readonly ledger: readonly LedgerLine[];
  /** The newest entries, in csn order, dense, ending at head.csn: the kept log. */
  readonly entries: readonly CommitEntry[];
}

export interface StorePlace {
  readonly appliedSlot: number;
  readonly history: string;
}

export interface StateStore {
  /** The slot that the stored state stands at; 0 for an empty store. Also the store's identity, made at creation. */
  opened(done: (at: StorePlace, error?: Error) => void): void;
  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void;
  /** Entries of one or more slots in order; afterwards the state stands at `slot`. Calls back when surely on disk. */
  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void;
  close(done: () => void): void;
}

export interface SpaceEntries {
  readonly space: SpaceId;
  readonly entries: readonly CommitEntry[];
}
