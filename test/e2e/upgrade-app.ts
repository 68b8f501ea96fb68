/**
 * One app in two versions. Version 2 says `state` where version 1 said `done`, in rows and in
 * arguments, finds tasks by it, and knows a mutation more. `lifts` and `edits` show what was done
 * twice.
 */
import { defineApp, mutation, reject, table, unchecked } from '@oxbow/sdk';

export type Version = 1 | 2;

interface Task {
  readonly id: string;
  readonly title: string;
  /** How often its title was changed. */
  readonly edits: number;
  readonly done?: boolean;
  readonly state?: 'open' | 'done';
  /** How often it was made a row of version 2: once. */
  readonly lifts?: number;
}
interface AddArgs {
  readonly id: string;
  readonly title: string;
}
interface FinishArgs {
  readonly id: string;
  readonly done?: boolean;
  readonly state?: 'open' | 'done';
}

const rename = mutation<{ task: ReturnType<typeof tasks> }>()({
  args: unchecked<AddArgs>(),
  apply: (tx, { id, title }) => {
    const task = tx.task.get(id);
    if (task === undefined) return reject('gone');
    tx.task.put({ ...task, title, edits: task.edits + 1 });
    return undefined;
  },
});

const tasks = (version: Version) => table<Task>()({
  key: 'id', indexes: { byState: ['state'] },
  migrate: version === 1 ? {} : {
    2: ({ done = false, ...row }: Task) =>
      ({ ...row, state: done ? 'done' : 'open', lifts: (row.lifts ?? 0) + 1 }),
  },
});

const makeApp = (version: Version) => defineApp({
  name: 'tasks',
  version,
  tables: { task: tasks(version) },
  mutations: {
    rename,
    add: mutation({
      args: unchecked<AddArgs>(),
      apply: (tx, task) => tx.task.put(
        version === 1 ? { ...task, edits: 0, done: false } : { ...task, edits: 0, state: 'open', lifts: 1 },
      ),
    }),
    finish: mutation({
      args: unchecked<FinishArgs>(),
      version,
      upgrade: version === 1 ? {} : {
        1: ({ done, ...args }: FinishArgs) => ({ ...args, state: done === true ? 'done' : 'open' }),
      },
      // What another version says means nothing to it.
      apply: (tx, { id, done, state }) => {
        if (!tx.task.has(id)) return reject('gone');
        if (version === 1) tx.task.update(id, { done: done ?? false });
        else if (state !== undefined) tx.task.update(id, { state });
        return undefined;
      },
    }),
    ...(version === 2 && {
      remove: mutation<{ task: ReturnType<typeof tasks> }>()({
        args: unchecked<{ readonly id: string }>(),
        apply: (tx, { id }) => tx.task.delete(id),
      }),
    }),
  },
});

/** By version. They are alike to TypeScript. */
export const apps = { 1: makeApp(1), 2: makeApp(2) } as const;
