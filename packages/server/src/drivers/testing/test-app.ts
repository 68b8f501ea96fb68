/** The app that the server's own tests run: one table, a write, and a rule that refuses. */
import { defineApp, mutation, reject, table, unchecked } from '@oxbow/sdk/model';

export interface Item {
  readonly id: string;
  readonly text: string;
}

export const app = defineApp({
  name: 'test',
  version: 1,
  tables: { item: table<Item>()({ key: 'id' }) },
  mutations: {
    put: mutation({
      args: unchecked<Item>(),
      apply: (tx, item) => tx.item.put(item),
    }),
    add: mutation({
      args: unchecked<Item>(),
      check: (tx, item) => !tx.item.has(item.id),
      apply: (tx, item) => tx.item.put(item),
      merge: (_tx, item) => reject('taken', { id: item.id }),
    }),
  },
});

export default app;
