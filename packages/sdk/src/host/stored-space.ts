/** Brings what a store holds of one space into memory, one collection after the other. */
import { COLLECTIONS, type Collection, type Done, type Store } from '../drivers/storage.js';
import { spaceRange, type Records, type StoredRecords } from '../replica/store-keys.js';

/** Errors: those of `Store.read`. */
export function readStoredSpace(store: Store, space: string, done: Done<StoredRecords>): void {
  const range = spaceRange(space);
  const read: Record<Collection, Records> = { meta: [], updates: [], entries: [], pages: [] };
  const next = (at: number): void => {
    const collection = COLLECTIONS[at];
    if (collection === undefined) return done({ ok: true, value: read });
    store.read(collection, range, (result) => {
      if (!result.ok) return done(result);
      read[collection] = result.value;
      next(at + 1);
    });
  };
  next(0);
}
