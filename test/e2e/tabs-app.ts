/** An app in which whatever is lost, or done twice, shows: a sum, and a list of what was added. */
import { defineApp, mutation, table, unchecked } from '@oxbow/sdk';

export const tabsApp = defineApp({
  name: 'tabs',
  version: 1,
  tables: {
    word: table<{ readonly id: string; readonly times: number }>()({ key: 'id' }),
  },
  mutations: {
    add: mutation({
      args: unchecked<{ readonly id: string }>(),
      apply: (tx, { id }) => tx.word.put({ id, times: (tx.word.get(id)?.times ?? 0) + 1 }),
    }),
  },
});
