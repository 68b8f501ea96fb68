/** A query whose result is kept current. */

/** `tentative`: with all that is known; `committed`: only what has its final place. */
export type View = 'tentative' | 'committed';

export interface LiveQuery<R> {
  /** Always current. The same reference while the result is structurally the same. Throws what the query throws. */
  get(): R;
  /** Calls `fn` once per flush in which the result changed. Returns the way to stop it. */
  subscribe(fn: () => void): () => void;
  /** Forgets the query; `get` then throws `live-closed`. */
  close(): void;
}
