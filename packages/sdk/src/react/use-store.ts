/** React's end of a store. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import { sameValue } from '../model/index.js';
import type { Store } from './store.js';

/** `server`: what is rendered on a server, and once more when its page is taken over. */
export interface ServerValue<T> {
  readonly server?: T;
}

/** The same reference as in the last render while it reads the same, whichever store it is from. */
export function useStore<T>(store: Store<T>, options: ServerValue<T> = {}): T {
  const onServer = options.server === undefined ? store.get : fixed(options.server);
  const given = useSyncExternalStore(store.subscribe, store.get, onServer);
  const [kept] = useState(() => ({ given, shown: given }));
  const isSame = kept.given === given || sameValue(kept.shown, given);
  const shown = isSame ? kept.shown : given;
  useEffect(() => {
    kept.given = given;
    kept.shown = shown;
  });
  return shown;
}

const fixed = <T>(value: T) => (): T => value;
