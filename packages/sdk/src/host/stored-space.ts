/** Brings what a store holds of one space into memory, all collections at once. */
import { isSpaceId, type SpaceId } from '../protocol/index.js';
import { COLLECTIONS, type Collection, type Done, type Store } from '../drivers/storage.js';
import { spaceOfKey, spaceRange, type Records, type StoredRecords } from '../replica/store-keys.js';

/** Spaces of which the store holds tentative updates. Errors: those of `Store.read`. */
export function readSpacesWithUpdates(store: Store, done: Done<readonly SpaceId[]>): void {
  store.read('updates', { from: '', to: BEHIND_ALL }, (read) => {
    if (!read.ok) return done(read);
    const names = new Set(read.value.map(([key]) => spaceOfKey(key)));
    done({ ok: true, value: [...names].filter(isSpaceId) });
  });
}

/** Names of spaces are ASCII. */
const BEHIND_ALL = '\u0080';

/** Errors: those of `Store.read`, the first that comes. */
export function readStoredSpace(store: Store, space: string, done: Done<StoredRecords>): void {
  const range = spaceRange(space);
  const read: Record<Collection, Records> = { meta: [], updates: [], entries: [], pages: [] };
  let awaited: number = COLLECTIONS.length;
  for (const collection of COLLECTIONS) {
    store.read(collection, range, (result) => {
      if (awaited === 0) return;
      if (!result.ok) {
        awaited = 0;
        return done(result);
      }
      read[collection] = result.value;
      awaited -= 1;
      if (awaited === 0) done({ ok: true, value: { ...read, isChecked: store.checksPages } });
    });
  }
}
