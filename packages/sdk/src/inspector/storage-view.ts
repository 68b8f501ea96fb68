/** What the store holds, how it is, and when it was written last. */
import type { StorageHealth } from '../host/health.js';
import type { Inspection } from '../host/inspection.js';
import { COLLECTIONS, type Collection, type Store } from '../drivers/storage.js';
import { keeperView, type KeeperView, type StoreView } from '../host/keeper-view.js';
import type { OxbowError } from '../protocol/index.js';

export interface StorageView extends StorageHealth, StoreView {
  /** Own updates that nobody else has; of these, not even the disk. */
  readonly unsynced: number;
  readonly unsaved: number;
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

/** `seen`: what the tab has told that keeps disk and network; undefined: nothing yet. */
export function storageOf(inspection: Inspection, seen: KeeperView | undefined): StorageView {
  const { health } = inspection;
  const { store } = seen ?? keeperView(inspection);
  return { ...health.storage, ...store, unsynced: health.unsynced, unsaved: health.unsaved };
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
  const [store, end] = await new Promise<readonly [Store | undefined, () => void]>((resolve) => {
    host.beside((opened, close) => resolve([opened, close]));
  });
  try {
    return await countedIn(store);
  } finally {
    end();
  }
}

async function countedIn(store: Store | undefined): Promise<StoreContents> {
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
