/**
 * A live query that exists only while somebody listens. One that is opened while rendering would
 * stay for ever where the render is thrown away (Suspense, StrictMode, an urgent update in
 * between): nobody is told, so nobody could close it, and a timer that does is a guess. Before the
 * first listener the query is therefore run as it is, and again only if rows have changed since.
 */
import type { AppDefinition, ReadTx } from '../model/index.js';
import { sameValue } from '../model/index.js';
import type { Space } from '../host/space.js';
import type { LiveQuery, View } from '../replica/live.js';
import type { Store } from './store.js';

export interface LiveStoreOptions<A extends AppDefinition, R> {
  readonly space: Space<A>;
  readonly query: (tx: ReadTx<A>) => R;
  readonly view: View;
}

export class LiveStore<A extends AppDefinition, R> implements Store<R> {
  readonly #options: LiveStoreOptions<A, R>;
  /** Open exactly while there are listeners. */
  #live: LiveQuery<R> | undefined;
  #listeners = 0;
  /** What was read last, as it came (`given`) and as it is told on (`shown`). */
  #last: { readonly given: R; readonly shown: R; readonly revision: number } | undefined;

  constructor(options: LiveStoreOptions<A, R>) {
    this.#options = options;
  }

  readonly get = (): R => {
    const { space, query, view } = this.#options;
    const { revision } = space;
    if (this.#live !== undefined) return this.#show(this.#live.get(), revision);
    if (this.#last?.revision === revision) return this.#last.shown;
    return this.#show(space.query(query, { view }), revision);
  };

  readonly subscribe = (fn: () => void): (() => void) => {
    const { space, query, view } = this.#options;
    this.#live ??= space.live(query, { view });
    const stop = this.#live.subscribe(fn);
    this.#listeners += 1;
    return () => {
      stop();
      this.#listeners -= 1;
      if (this.#listeners > 0) return;
      this.#live?.close();
      this.#live = undefined;
    };
  };

  #show(given: R, revision: number): R {
    const last = this.#last;
    if (last !== undefined && last.given === given && last.revision === revision) return last.shown;
    const isSame = last !== undefined && (last.given === given || sameValue(last.shown, given));
    const shown = isSame ? last.shown : given;
    this.#last = { given, shown, revision };
    return shown;
  }
}
