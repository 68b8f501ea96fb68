/**
 * Something current that can be watched: all that a view library needs of us. A live query is one
 * already; the rest of a space becomes one here.
 *
 * React reads a store while it renders, subscribes when the render has come to the page, and may
 * throw the render away in between, without a word. So nothing here holds on to anything before
 * somebody subscribes, and `get` gives the same reference until what it tells has changed.
 */
import { sameValue } from '../model/index.js';

export interface Store<T> {
  readonly get: () => T;
  readonly subscribe: (fn: () => void) => () => void;
}

/** What `read` gives now; the former reference while it would read the same. */
export function storeOf<T>(read: () => T, subscribe: Store<T>['subscribe']): Store<T> {
  let last: { readonly value: T } | undefined;
  const get = (): T => {
    const value = read();
    if (last === undefined || !sameValue(last.value, value)) last = { value };
    return last.value;
  };
  return { get, subscribe };
}

const NEVER = (): (() => void) => () => undefined;

/** Where there is nothing to watch yet. */
export const NOTHING: Store<undefined> = { get: () => undefined, subscribe: NEVER };
