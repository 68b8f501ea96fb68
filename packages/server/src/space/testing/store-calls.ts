/** Calls of a state store as promises, and what to apply to it: for tests. */
import type { CommitEntry, Effect, ReplicaId, Row, SpaceId } from '@oxbow/sdk/protocol';
import type { SpaceEntries, StateStore, StoredSpace, StorePlace } from '../state-store.js';

export interface EntryParts {
  readonly effects?: readonly Effect[];
  readonly replica?: string;
  readonly seq?: number;
  readonly user?: string | null;
}

export function entry(csn: number, parts: EntryParts = {}): CommitEntry {
  const { effects = [], replica = 'r1', seq = csn, user = 'ann' } = parts;
  return {
    csn,
    at: 1_000 + csn,
    id: { replica: replica as ReplicaId, seq },
    lamport: 10 + csn,
    user,
    outcome: { kind: 'applied' },
    effects,
  };
}

export function space(name: string): SpaceId {
  return name as SpaceId;
}

export const put = (key: string, row: Row, table = 'item'): Effect => ({ table, key, row });
export const gone = (key: string): Effect => ({ table: 'item', key, row: null });
export const sortedLedger = (stored: StoredSpace) =>
  [...stored.ledger].sort((a, b) => (a.replica < b.replica ? -1 : 1));
/** Rows and ledger of a loaded space in an order that does not depend on the store. */
export const sorted = (stored: StoredSpace): StoredSpace => ({
  ...stored,
  ledger: sortedLedger(stored),
  rows: [...stored.rows].sort((a, b) => (`${a.table}/${a.key}` < `${b.table}/${b.key}` ? -1 : 1)),
});

export function opened(store: StateStore): Promise<StorePlace> {
  return new Promise((resolve, reject) => {
    store.opened((at, error) => (error ? reject(error) : resolve(at)));
  });
}

export function load(store: StateStore, name: SpaceId): Promise<StoredSpace | undefined> {
  return new Promise((resolve, reject) => {
    store.load(name, (stored, error) => (error ? reject(error) : resolve(stored)));
  });
}

export async function mustLoad(store: StateStore, name: SpaceId): Promise<StoredSpace> {
  const stored = await load(store, name);
  if (stored === undefined) throw new Error(`space ${name} is not there`);
  return stored;
}

export function apply(
  store: StateStore, slot: number, batches: readonly SpaceEntries[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    store.apply(slot, batches, (error) => (error ? reject(error) : resolve()));
  });
}

export function close(store: StateStore): Promise<void> {
  return new Promise((resolve) => store.close(resolve));
}
