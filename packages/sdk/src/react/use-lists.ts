/** `usePending` and `useConflicts`: the lists of a space. */
import { useMemo, useSyncExternalStore } from 'react';
import type { AppDefinition } from '../model/index.js';
import type { Conflict } from '../host/conflict.js';
import type { PendingUpdate, Space } from '../host/space.js';
import { useOpened, type Opening } from './opened.js';
import type { Store } from './store.js';

const NO_UPDATES: readonly PendingUpdate[] = [];
const NO_CONFLICTS: readonly Conflict[] = [];

/**
 * Updates without a final place, own and others', in stamp order: `space.pending()`.
 *
 * @example
 * const waiting = usePending(team).filter(({ own }) => own).length;
 */
export function usePending<A extends AppDefinition>(
  space: Opening<Space<A>>,
): readonly PendingUpdate[] {
  return useList(useOpened(space), pendingOf, NO_UPDATES);
}

/**
 * Own updates that did not go as asked, until acknowledged: `space.conflicts`.
 *
 * @example
 * const inbox = useConflicts(team).map((conflict) => <Notice key={…} conflict={conflict} />);
 */
export function useConflicts<A extends AppDefinition>(
  space: Opening<Space<A>>,
): readonly Conflict[] {
  return useList(useOpened(space), conflictsOf, NO_CONFLICTS);
}

type Listing = Pick<Space<AppDefinition>, 'pending' | 'conflicts' | 'subscribe'>;

const pendingOf = (space: Listing): readonly PendingUpdate[] => space.pending();
const conflictsOf = (space: Listing): readonly Conflict[] => space.conflicts;

/**
 * The space itself gives the same array while nothing has changed. A new one that reads the same is
 * news all the same: a receipt in it may have come further.
 */
function useList<T>(
  space: Listing | undefined, read: (space: Listing) => readonly T[], none: readonly T[],
): readonly T[] {
  const store = useMemo((): Store<readonly T[]> => ({
    get: () => (space === undefined ? none : read(space)),
    subscribe: (fn) => space?.subscribe(fn) ?? (() => undefined),
  }), [space, read, none]);
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
