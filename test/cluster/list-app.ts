/** Lists that only grow: each read tells the whole past, so nothing that went wrong can hide. */
import { defineApp, mutation, table, unchecked } from '@oxbow/sdk/model';

export interface List {
  readonly id: string;
  readonly values: readonly string[];
}

export const app = defineApp({
  name: 'lists',
  version: 1,
  tables: { list: table<List>()({ key: 'id' }) },
  mutations: {
    append: mutation({
      args: unchecked<{ id: string; value: string }>(),
      apply: (tx, { id, value }) => {
        tx.list.put({ id, values: [...(tx.list.get(id)?.values ?? []), value] });
      },
    }),
  },
});

export default app;
