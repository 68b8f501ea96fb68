/**
 * An app for tests of the replica: every way in which a mutation can depend on the state, and
 * collide.
 */
import { defineApp, mutation, reject, table, unchecked } from '../../model/index.js';

export interface Item {
  readonly id: string;
  readonly shelf: string;
  readonly rank: number;
  readonly by?: string | null;
}
export interface Counter {
  readonly id: string;
  readonly value: number;
}

const tables = {
  item: table<Item>()({ key: 'id', indexes: { byShelf: ['shelf', 'rank'], byRank: ['rank'] } }),
  counter: table<Counter>()({ key: 'id' }),
};

/** Items that a shelf has room for. */
export const ROOM = 2;

const declared = mutation<typeof tables>();

const mutations = {
  /** Blind. */
  put: declared({
    args: unchecked<{ id: string; shelf: string; rank: number }>(),
    apply: (tx, a) => tx.item.put({ ...a, by: tx.user }),
  }),
  /** Blind. */
  remove: declared({
    args: unchecked<{ id: string }>(),
    apply: (tx, a) => tx.item.delete(a.id),
  }),
  /** Reads a range, has alternatives and a merge. */
  place: declared({
    args: unchecked<{ id: string; shelf: string; rank: number; orElse: string[]; insist: boolean }>(),
    check: (tx, a) => tx.item.index('byShelf').get(a.shelf).count() < ROOM,
    apply: (tx, a) => tx.item.put({ id: a.id, shelf: a.shelf, rank: a.rank }),
    alternatives: (a) => a.orElse.map((shelf) => ({ ...a, shelf })),
    merge: (tx, a) => {
      if (!a.insist) return reject('full', { shelf: a.shelf });
      const value = (tx.counter.get(a.shelf)?.value ?? 0) + 1;
      tx.counter.put({ id: a.shelf, value });
      return undefined;
    },
  }),
  /** Reads a key and writes it. */
  move: declared({
    args: unchecked<{ id: string; shelf: string }>(),
    apply: (tx, a) => {
      if (!tx.item.has(a.id)) return reject('gone');
      tx.item.update(a.id, { shelf: a.shelf });
      return undefined;
    },
  }),
  bump: declared({
    args: unchecked<{ id: string }>(),
    apply: (tx, a) => tx.counter.put({ id: a.id, value: (tx.counter.get(a.id)?.value ?? 0) + 1 }),
  }),
  /** Writes as many rows as the range holds. */
  sweep: declared({
    args: unchecked<{ shelf: string }>(),
    apply: (tx, a) => {
      for (const { id } of tx.item.index('byShelf').get(a.shelf).all()) tx.item.delete(id);
    },
  }),
  /** Reads a range from above and stops early; which row it writes depends on it. */
  demote: declared({
    args: unchecked<{ below: number }>(),
    apply: (tx, a) => {
      const top = tx.item.index('byRank').before([a.below]).reverse().first();
      if (top === undefined) return reject('none');
      tx.item.update(top.id, { rank: top.rank - 1 });
      return undefined;
    },
  }),
  /** Throws on odd counters. */
  fuss: declared({
    args: unchecked<{ id: string }>(),
    apply: (tx, a) => {
      tx.counter.put({ id: 'fuss', value: 1 });
      if ((tx.counter.get(a.id)?.value ?? 0) % 2 === 1) throw new Error('odd');
    },
  }),
  /** Draws its key. */
  draw: declared({
    args: unchecked<{ shelf: string }>(),
    apply: (tx, a) => tx.item.put({
      id: tx.id().slice(0, 2), shelf: a.shelf, rank: Math.floor(tx.random() * 5), by: tx.user,
    }),
  }),
};

export const shelfApp = defineApp({ name: 'shelf', version: 1, tables, mutations });

const { put, remove, place, move, demote, fuss, draw } = mutations;
/** The same before `bump` and `sweep` were thought of. */
export const oldShelfApp = defineApp({
  name: 'shelf', version: 1, tables,
  mutations: { put, remove, place, move, demote, fuss, draw },
});
