/**
 * The page of storage-laws.browser.test.ts: the laws of storage, and a store to play with, as
 * globals.
 */
import { openDB } from 'idb';
import { indexedDb } from '../../packages/sdk/src/drivers/storage-indexeddb.js';
import type { Store } from '../../packages/sdk/src/drivers/storage.js';
import {
  closed, lawsFor, put, read, result,
} from '../../packages/sdk/src/drivers/testing/storage-laws.js';
import type { StorageBench } from '../../packages/sdk/src/drivers/testing/storage-laws.js';

const bench: StorageBench = {
  kind: 'indexeddb',
  storage: (place) => indexedDb(place),
  writtenByNewerCode: async (place) => {
    (await openDB(`oxbow/${place}`, 99)).close();
  },
};
const laws = lawsFor(bench);
let store: Store | undefined;

const page = {
  lawNames: (): string[] => laws.map((law) => law.name),

  /** The error's text, or an empty one. */
  runLaw: async (name: string): Promise<string> => {
    try {
      await laws.find((law) => law.name === name)?.run(bench);
      return '';
    } catch (error) {
      return String(error);
    }
  },

  /** The error's code, or `opened`. */
  open: async (place: string, waitForLock: boolean): Promise<string> => {
    const opened = await result<Store>((done) => indexedDb(place, { waitForLock }).open(done));
    if (!opened.ok) return opened.error.code;
    store = opened.value;
    return 'opened';
  },

  /** The error's code, or `written`. */
  write: async (key: string, value: string): Promise<string> => {
    const written = await result<void>((done) => mustStore().write([put('meta', key, value)], done));
    return written.ok ? 'written' : written.error.code;
  },

  read: () => read(mustStore(), 'meta'),
  close: () => closed(mustStore()),
};

function mustStore(): Store {
  if (store === undefined) throw new Error('No store is open on this page');
  return store;
}

export type StoragePage = typeof page;
Object.assign(globalThis, { storagePage: page });
