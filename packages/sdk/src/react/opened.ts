/** Spaces and replicas that are still opening: React waits for their promise (Suspense). */
import { use } from 'react';
import type { AppDefinition } from '../model/index.js';
import type { Replica } from '../host/replica.js';
import type { Space } from '../host/space.js';

/**
 * What a hook takes: the thing, its promise (the same one in every render: the component suspends
 * until it is fulfilled), or undefined where there is none, as on a server.
 */
export type Opening<T> = T | PromiseLike<T> | undefined;

export function useOpened<T extends object>(opening: Opening<T>): T | undefined {
  if (opening === undefined || !('then' in opening)) return opening;
  // reason: React's own type asks for a whole Promise, its code for a `then`.
  return use(opening as Promise<T>);
}

const spaces = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * The space of that name, opened by the first component that asks for it; suspends until it is
 * there. What `open` rejects with goes to the nearest error boundary, and stands for as long as
 * the replica object lives. Undefined while `replica` is.
 *
 * @example
 * const team = useSpace(replica, 'team-42');
 */
export function useSpace<A extends AppDefinition>(
  replica: Replica<A> | PromiseLike<Replica<A>>, name: string,
): Space<A>;
export function useSpace<A extends AppDefinition>(
  replica: Opening<Replica<A>>, name: string,
): Space<A> | undefined;
export function useSpace<A extends AppDefinition>(
  replica: Opening<Replica<A>>, name: string,
): Space<A> | undefined {
  const opened = useOpened(replica);
  return useOpened(opened && openedSpace(opened, name));
}

function openedSpace<A extends AppDefinition>(
  replica: Replica<A>, name: string,
): Promise<Space<A>> {
  let ofReplica = spaces.get(replica);
  if (ofReplica === undefined) spaces.set(replica, (ofReplica = new Map()));
  let space = ofReplica.get(name);
  if (space === undefined) ofReplica.set(name, (space = replica.open(name)));
  // reason: kept under the replica that opened it, so of its app.
  return space as Promise<Space<A>>;
}
