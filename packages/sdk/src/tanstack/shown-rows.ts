/** What a collection was told, row by row, so that it is told nothing but changes. */
import { sameValue } from '../model/index.js';

export type RowChange<R, K> =
  | { readonly type: 'insert' | 'update'; readonly value: R }
  | { readonly type: 'delete'; readonly key: K };

export class ShownRows<R extends object, K> {
  readonly #getKey: (row: R) => K;
  #rows: ReadonlyMap<K, R> = new Map();

  constructor(getKey: (row: R) => K) {
    this.#getKey = getKey;
  }

  /** The way from what was shown to `rows`. A row that reads the same is no change. */
  show(rows: readonly R[]): RowChange<R, K>[] {
    const before = this.#rows;
    const now = new Map(rows.map((row) => [this.#getKey(row), row]));
    this.#rows = now;
    const changes: RowChange<R, K>[] = [];
    for (const key of before.keys()) if (!now.has(key)) changes.push({ type: 'delete', key });
    for (const [key, value] of now) {
      const old = before.get(key);
      if (old === undefined) changes.push({ type: 'insert', value });
      else if (old !== value && !sameValue(old, value)) changes.push({ type: 'update', value });
    }
    return changes;
  }
}
