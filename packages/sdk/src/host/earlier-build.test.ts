/**
 * What builds of the past wrote must open for ever, or be refused by its layout version: nobody
 * asks the browsers of the world to start over. The records are those that a browser held after a
 * session with that build; a layout that reads them differently fails here.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defineApp, memory, mutation, openReplica, table, unchecked } from '../index.js';
import { COLLECTIONS, type Storage, type StoreOp } from '../drivers/storage.js';
import { promised } from './promised.js';

interface Task {
  readonly id: string;
  readonly title: string;
  readonly edits: number;
  readonly done: boolean;
}

const app = defineApp({
  name: 'tasks', version: 1,
  tables: { task: table<Task>()({ key: 'id' }) },
  mutations: {
    rename: mutation({
      args: unchecked<Pick<Task, 'id' | 'title'>>(),
      apply: (tx, { id, title }) =>
        tx.task.update(id, { title, edits: (tx.task.get(id)?.edits ?? 0) + 1 }),
    }),
    add: mutation({
      args: unchecked<Pick<Task, 'id' | 'title'>>(),
      apply: (tx, task) => tx.task.put({ ...task, edits: 0, done: false }),
    }),
    finish: mutation({
      args: unchecked<Pick<Task, 'id' | 'done'>>(),
      apply: (tx, { id, done }) => tx.task.update(id, { done }),
    }),
  },
});

/** By collection. */
type Records = Readonly<Record<string, readonly (readonly [key: string, value: string])[]>>;

function recordsOf(build: string): Records {
  const text = readFileSync(new URL(`testing/${build}.json`, import.meta.url), 'utf8');
  // reason: as it was read out of the browser.
  return (JSON.parse(text) as { readonly stores: Records }).stores;
}

async function storageWith(records: Records): Promise<Storage> {
  const storage = memory();
  const store = await new Promise<Parameters<Parameters<Storage['open']>[0]>[0]>((resolve) => {
    storage.open(resolve);
  });
  if (!store.ok) throw store.error;
  const ops = COLLECTIONS.flatMap((collection) => (records[collection] ?? [])
    .map(([key, value]): StoreOp => ({ kind: 'put', collection, key, value })));
  await promised<void>((done) => store.value.write(ops, done));
  await promised<void>((done) => store.value.close(done));
  return storage;
}

test('a store from before tabs had seats opens with its rows, updates and conflicts', async () => {
  const storage = await storageWith(recordsOf('stored-before-seats'));
  const reports: string[] = [];
  const open = () => openReplica({
    app, storage, onReport: ({ code, message }) => reports.push(`${code}: ${message}`),
  });
  let replica = await open();
  let team = await replica.open('team');
  const { id } = replica;
  expect(team.summary()).toMatchObject({ csn: 33 });
  expect(team.query((tx) => tx.task.all().length, { view: 'committed' })).toBe(31);
  expect(team.query((tx) => ['t01', 't02', 't30', 'u1'].map((key) => tx.task.get(key)))).toEqual([
    { id: 't01', title: 'task 1', edits: 0, done: true },
    { id: 't02', title: 'task 2', edits: 0, done: true },
    { id: 't30', title: 'task 30', edits: 0, done: false },
    { id: 'u1', title: 'renamed', edits: 1, done: false },
  ]);
  expect(team.pending().map(({ name, id: { seq } }) => `${name} ${seq}`))
    .toEqual(['add 3', 'finish 4', 'rename 5']);
  expect(team.conflicts.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['rename', { kind: 'rejected', code: 'gone' }],
  ]);
  await team.mutate.add({ id: 'u2', title: 'new' }).until('saved');
  await replica.close();
  replica = await open();
  team = await replica.open('team');
  expect(replica.id).toBe(id);
  expect(team.pending().at(-1)).toMatchObject({ name: 'add', id: { replica: id, seq: 6 } });
  expect(reports).toEqual([]);
  await replica.close();
});
