/** React's end of a store. */
import { useSyncExternalStore } from 'react';
import type { Store } from '../session/session.js';

export const useStore = <T>(store: Store<T>): T =>
  useSyncExternalStore(store.subscribe, store.get, store.get);
