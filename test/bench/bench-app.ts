/** The app that the benchmarks run: one table, one index, a blind write, and a guarded one. */
import { defineApp, mutation, reject, table, unchecked } from '@oxbow/sdk/model';

export interface Item {
  readonly id: string;
  readonly v: string;
}

export interface Meeting {
  readonly id: string;
  readonly day: string;
  readonly start: number;
  readonly title: string;
  readonly room: string;
  readonly notes: string;
}

export const app = defineApp({
  name: 'bench',
  version: 1,
  tables: {
    item: table<Item>()({ key: 'id' }),
    meeting: table<Meeting>()({ key: 'id', indexes: { byDay: ['day', 'start'] } }),
  },
  mutations: {
    put: mutation({
      args: unchecked<Item>(),
      apply: (tx, a) => tx.item.put({ id: a.id, v: a.v }),
    }),
    schedule: mutation({
      args: unchecked<Meeting>(),
      apply: (tx, a) => tx.meeting.put({ ...a }),
    }),
    retitle: mutation({
      args: unchecked<{ id: string; title: string }>(),
      check: (tx, a) => tx.meeting.has(a.id),
      apply: (tx, a) => tx.meeting.update(a.id, { title: a.title }),
      merge: (_tx, a) => reject('gone', { id: a.id }),
    }),
  },
});

export default app;
