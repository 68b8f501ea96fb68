/** A small app for end-to-end tests: a note says what was written, a count how often. */
import { defineApp, mutation, table, unchecked } from '@oxbow/sdk';

interface Note { readonly id: string; readonly text: string }
interface Count { readonly id: string; readonly value: number }

const tables = { note: table<Note>()({ key: 'id' }), count: table<Count>()({ key: 'id' }) };
const declared = mutation<typeof tables>();

export const notes = defineApp({
  name: 'notes',
  version: 1,
  tables,
  mutations: {
    write: declared({
      args: unchecked<Note>(),
      apply: (tx, a) => {
        tx.note.put(a);
        tx.count.put({ id: a.id, value: (tx.count.get(a.id)?.value ?? 0) + 1 });
      },
    }),
  },
});
