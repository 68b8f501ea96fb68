/**
 * Stores over a replica. A store costs nothing while nobody looks: its live query is opened at
 * the first look.
 */
import type { Store } from './session.js';

/** The part of the SDK's live query that a store needs. */
export interface Live<T> {
  get(): T;
  subscribe(fn: () => void): () => void;
  close(): void;
}

/** React reads a store before it subscribes, and may never do so. */
const UNWATCHED_MS = 5_000;

class LiveStore<T> implements Store<T> {
  readonly #open: () => Live<T>;
  #live: Live<T> | undefined;
  #watchers = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(open: () => Live<T>) {
    this.#open = open;
  }

  get = (): T => this.#mustLive().get();

  subscribe = (fn: () => void): (() => void) => {
    const stop = this.#mustLive().subscribe(fn);
    this.#watchers += 1;
    return () => {
      stop();
      this.#watchers -= 1;
      this.#closeLater();
    };
  };

  #mustLive(): Live<T> {
    if (this.#live === undefined) {
      this.#live = this.#open();
      this.#closeLater();
    }
    return this.#live;
  }

  #closeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#watchers > 0) return;
      this.#live?.close();
      this.#live = undefined;
    }, UNWATCHED_MS);
  }
}

export const liveStore = <T>(open: () => Live<T>): Store<T> => new LiveStore(open);

/** What follows from `inputs`; computed again only when one of them is another one. */
export function derivedStore<const I extends readonly unknown[], T>(
  inputs: () => I,
  compute: (inputs: NoInfer<I>) => T,
  subscribe: (fn: () => void) => () => void,
): Store<T> {
  let last: { readonly inputs: I; readonly value: T } | undefined;
  const get = (): T => {
    const now = inputs();
    if (last === undefined || now.some((input, i) => input !== last?.inputs[i])) {
      last = { inputs: now, value: compute(now) };
    }
    return last.value;
  };
  return { get, subscribe };
}
