/** `useLive`: a query's result, kept current. */
import { useMemo } from 'react';
import type { AppDefinition, ReadTx } from '../model/index.js';
import type { Space } from '../host/space.js';
import type { View } from '../replica/live.js';
import { LiveStore } from './live-store.js';
import { useOpened, type Opening } from './opened.js';
import { NOTHING, type Store } from './store.js';
import { useStore, type ServerValue } from './use-store.js';

export interface LiveOptions<R> extends ServerValue<R> {
  /** Default: `tentative`. */
  readonly view?: View;
}

/**
 * The result of `query`, rendered again when it has changed: the same reference while it is
 * structurally the same. `deps`: what the query closes over; it is another query when one of them
 * is another. Without `deps` it is another whenever the function is, so an inline one runs with
 * every render: never stale, but dearer. `space` may be a promise (suspends) or undefined (gives
 * undefined). `server`: what stands in its place on a server and at hydration. Throws what the
 * query throws, to the nearest error boundary. Errors: `too-many-queries`.
 *
 * @example
 * const bookings = useLive(team, (tx) => tx.booking.index('bySlot').get(room).all(), [room]);
 */
export function useLive<A extends AppDefinition, R>(
  space: Space<A> | PromiseLike<Space<A>>,
  query: (tx: ReadTx<A>) => R,
  deps?: readonly unknown[],
  options?: LiveOptions<R>,
): R;
export function useLive<A extends AppDefinition, R>(
  space: Opening<Space<A>>,
  query: (tx: ReadTx<A>) => R,
  deps?: readonly unknown[],
  options?: LiveOptions<R>,
): R | undefined;
export function useLive<A extends AppDefinition, R>(
  space: Opening<Space<A>>,
  query: (tx: ReadTx<A>) => R,
  deps: readonly unknown[] = [query],
  options: LiveOptions<R> = {},
): R | undefined {
  const opened = useOpened(space);
  const { view = 'tentative', ...server } = options;
  const store = useMemo(
    (): Store<R | undefined> =>
      opened === undefined ? NOTHING : new LiveStore({ space: opened, query, view }),
    [opened, view, ...deps],
  );
  return useStore(store, server);
}
