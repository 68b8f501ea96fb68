/**
 * Applied state on disk, behind the commit log. One `apply` is one atomic transaction that carries
 * the slot it brings the state to (etcd v3.5 lost writes by keeping the two apart). The store does
 * not know where the order came from.
 */
import type { CommitEntry, KeyText, LedgerLine, Row, SpaceId } from '@oxbow/sdk/protocol';
import type { ImportHead, StateExport, StateImport } from './state-transfer.js';

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
  /** The cluster that the state belongs to; before `bind` an id of the store's own. */
  readonly history: string;
  /**
   * A state that no cluster has taken for its own may found one; a bound one never serves another.
   */
  readonly isBound: boolean;
  /**
   * Came with the state that was last taken in: where the log goes on whose own records do not
   * reach.
   */
  readonly base: string | undefined;
}

export interface StateStore {
  /**
   * The slot that the stored state stands at; 0 for an empty store. With an error the place means
   * nothing: `store-damaged` can be answered with `setAside`.
   */
  opened(done: (at: StorePlace, error?: Error) => void): void;
  /** The node has joined: the state belongs to this cluster for good. Errors: `store-foreign`. */
  bind(cluster: string, done: (error?: Error) => void): void;
  /**
   * With every `apply` that was called before, soon. Errors: `store-damaged` rather than anything
   * that was not written.
   */
  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void;
  /**
   * Entries of one or more slots in order; afterwards the state stands at `slot`. Calls back when
   * surely on disk. Of slots that a state which was taken in meanwhile holds nothing is changed.
   */
  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void;
  /** The state with every `apply` that was called before. */
  exportState(done: (picture: StateExport | undefined, error?: Error) => void): void;
  /**
   * The state at exactly this slot, though slots are written together: call it before any `apply`
   * beyond, in the turn in which the slot is known. Errors: `slot-passed`.
   */
  exportAt(slot: number, done: (picture: StateExport | undefined, error?: Error) => void): void;
  /**
   * Takes another node's state in, beside the present one. An import that is under way is given up.
   * Errors: `snapshot-outdated` (the present state is newer), `store-foreign`.
   */
  importState(
    head: ImportHead, done: (taking: StateImport | undefined, error?: Error) => void,
  ): void;
  /**
   * Keeps a state that cannot be used under another name, and stands empty at slot 0, bound to
   * nothing. What waits is answered with `store-damaged` first.
   */
  setAside(done: (at: StorePlace, error?: Error) => void): void;
  close(done: () => void): void;
}

export interface SpaceEntries {
  readonly space: SpaceId;
  readonly entries: readonly CommitEntry[];
}
