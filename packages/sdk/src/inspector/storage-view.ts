/** What the store holds, how it is, and when it was written last. */
import type { StorageHealth } from '../host/health.js';
import type { Inspection } from '../host/inspection.js';
import { COLLECTIONS, type Collection } from '../drivers/storage.js';
import type { OxbowError, SpaceId } from '../protocol/index.js';
import type { Stall } from '../replica/health.js';

export interface StorageView extends StorageHealth {
  /** When a write was completed last, wall time, ms; undefined before the first. */
  readonly savedAt: number | undefined;
  /** All that was done is on disk. */
  readonly isSaved: boolean;
  /** Own updates that nobody else has; of these, not even the disk. */
  readonly unsynced: number;
  readonly unsaved: number;
  readonly spaces: readonly StoredSpaceView[];
}

export interface StoredSpaceView {
  readonly space: SpaceId;
  readonly csn: number;
  /** The first and the last commit entry that is kept; undefined: none is. */
  readonly kept: { readonly from: number; readonly to: number } | undefined;
  readonly pending: number;
  readonly conflicts: number;
  /** Committed rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What could not be read when it was opened. */
  readonly damage: Stall | undefined;
}

/** Records in the store, by space; the profile's own stand under the empty name. */
export interface StoreContents {
  readonly spaces: readonly {
    readonly space: string;
    readonly collections: Readonly<Record<Collection, Amount>>;
  }[];
}

export interface Amount {
  readonly records: number;
  /** UTF-16 code units of keys and values. */
  readonly chars: number;
}

export function storageOf({ host, health, wallNow }: Inspection): StorageView {
  const { saving, slots } = host.machine.view;
  const { savedMs } = saving;
  return {
    ...health.storage,
    savedAt: savedMs === undefined ? undefined : wallNow() - (host.insides.now - savedMs),
    isSaved: saving.isDone,
    unsynced: health.unsynced,
    unsaved: health.unsaved,
    spaces: [...slots.values()].map(({ space, replica, damage }) => {
      const { ground: { base }, kept, csn } = replica.insides.state;
      const [first] = kept.since(0);
      return {
        space, csn, damage,
        kept: first && { from: first.entry.csn, to: csn },
        pending: replica.pending().length,
        conflicts: replica.conflicts().length,
        rows: Object.fromEntries(base.names().map((table) => [table, base.size(table)])),
      };
    }),
  };
}

const ALL = { from: '', to: '\uffff' };
const NOTHING: Amount = { records: 0, chars: 0 };
const EMPTY: Readonly<Record<Collection, Amount>> = {
  meta: NOTHING, updates: NOTHING, entries: NOTHING, pages: NOTHING,
};

/**
 * Reads the whole store once: for a large one that takes as long as opening it. Rejects with what
 * the store says where it cannot be read (`store-closed`, `store-lost`, `store-failed`).
 */
export async function contentsOf({ host }: Inspection): Promise<StoreContents> {
  const { store } = host.insides;
  const bySpace = new Map<string, Readonly<Record<Collection, Amount>>>();
  for (const collection of store === undefined ? [] : COLLECTIONS) {
    const records = await new Promise<readonly (readonly [string, string])[]>((resolve, reject) => {
      store?.read(collection, ALL, (read) => {
        if (read.ok) resolve(read.value);
        else reject(read.error satisfies OxbowError);
      });
    });
    for (const [key, value] of records) {
      const space = key.includes('\u0000') ? key.slice(0, key.indexOf('\u0000')) : '';
      const amounts = bySpace.get(space) ?? EMPTY;
      const { records: count, chars } = amounts[collection];
      const amount = { records: count + 1, chars: chars + key.length + value.length };
      bySpace.set(space, { ...amounts, [collection]: amount });
    }
  }
  const spaces = [...bySpace].map(([space, collections]) => ({ space, collections }));
  return { spaces: spaces.sort((a, b) => (a.space < b.space ? -1 : 1)) };
}
