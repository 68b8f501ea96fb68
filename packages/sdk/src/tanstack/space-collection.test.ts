import { createCollection, createLiveQueryCollection, createTransaction, eq } from '@tanstack/db';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { openReplica } from '../host/open-replica.js';
import type { Replica } from '../host/replica.js';
import type { Space } from '../host/space.js';
import { TestServer } from '../host/testing/test-server.js';
import { shelfApp as app, type Counter, type Item } from '../replica/testing/shelf-app.js';
import { receiptsOf, spaceCollection, type SpaceCollectionOptions } from './index.js';

type Shelves = typeof app;

let server: TestServer;
let replicas: Replica<Shelves>[];
let space: Space<Shelves>;

async function opened(): Promise<Replica<Shelves>> {
  const replica = await openReplica({
    app, dev: true, offline: true, storage: memory(),
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    onReport: (error) => { throw error; },
  });
  replicas.push(replica);
  return replica;
}

beforeEach(async () => {
  server = new TestServer(app);
  replicas = [];
  space = await (await opened()).open('room');
});
afterEach(() => Promise.all(replicas.map((replica) => replica.close())));

const item = (id: string, shelf = 'a', rank = 1): Item => ({ id, shelf, rank });
const place = (row: Item, orElse: string[] = []) => ({ ...row, orElse, insist: false });

function items(options: Partial<SpaceCollectionOptions<Shelves, Item, string>> = {}) {
  return createCollection(spaceCollection<Shelves, Item, string>({
    space,
    query: (tx) => tx.item.all(),
    getKey: ({ id }) => id,
    insert: (mutate, row) => mutate.place(place(row, ['spare'])),
    update: (mutate, row) => mutate.move({ id: row.id, shelf: row.shelf }),
    delete: (mutate, { id }) => mutate.remove({ id }),
    ...options,
  }));
}

/** `id@shelf` of every row, after each change that anyone is told of. */
function watched(collection: ReturnType<typeof items>) {
  const seen: string[][] = [];
  const rows = () => [...collection.values()].map(({ id, shelf }) => `${id}@${shelf}`).sort();
  const subscription = collection.subscribeChanges(() => seen.push(rows()), { includeInitialState: true });
  return { seen, rows, stop: () => subscription.unsubscribe() };
}

const code = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    return await promise;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

describe('a collection over a space', () => {
  it('holds what is there, and follows what others and the app itself write', async () => {
    space.mutate.put(item('x'));
    const collection = items();
    const { rows, stop } = watched(collection);
    expect(rows()).toEqual(['x@a']);
    const there = await opened();
    there.goOnline();
    await (await there.open('room')).mutate.put(item('y', 'b')).until('committed');
    replicas[0]?.goOnline();
    await space.mutate.put(item('z', 'c')).until('committed');
    await vi.waitFor(() => expect(rows()).toEqual(['x@a', 'y@b', 'z@c']));
    await space.mutate.remove({ id: 'x' }).until('committed');
    await vi.waitFor(() => expect(rows()).toEqual(['y@b', 'z@c']));
    stop();
  });

  it('hands an insert over without flicker and without doubling', async () => {
    const collection = items();
    const { seen, stop } = watched(collection);
    const transaction = collection.insert(item('x'));
    expect(space.query((tx) => tx.item.has('x'))).toBe(true);
    await transaction.isPersisted.promise;
    await space.pending()[0]?.receipt?.until('saved');
    expect(seen.every((rows, i) => i === 0 || rows.join() === 'x@a')).toBe(true);
    expect([...collection.keys()]).toEqual(['x']);
    expect(collection.get('x')).toMatchObject({ $synced: true });
    expect(receiptsOf(transaction).map(({ name }) => name)).toEqual(['place']);
    stop();
  });

  it('hands over before its handler ends, whenever the space calls its listeners back', async () => {
    const { live } = space;
    vi.spyOn(space, 'live').mockImplementation((fn, options) => {
      const query = live.call(space, fn, options);
      return { get: () => query.get(), close: () => query.close(), subscribe: () => () => undefined } as typeof query;
    });
    const collection = items();
    const { seen, rows, stop } = watched(collection);
    await collection.insert(item('x')).isPersisted.promise;
    expect(rows()).toEqual(['x@a']);
    expect(seen.slice(1).every((at) => at.join() === 'x@a')).toBe(true);
    stop();
  });

  it('hands updates and deletes over in one step each', async () => {
    space.mutate.put(item('x'));
    space.mutate.put(item('y'));
    const collection = items();
    const { seen, stop } = watched(collection);
    seen.length = 0;
    await collection.update('x', (draft) => { Object.assign(draft, { shelf: 'b' }); }).isPersisted.promise;
    await collection.delete('y').isPersisted.promise;
    await space.pending().at(-1)?.receipt?.until('saved');
    const steps = seen.map((rows) => rows.join(' ')).filter((rows, i, all) => rows !== all[i - 1]);
    expect(steps).toEqual(['x@b y@a', 'x@b']);
    expect(space.query((tx) => tx.item.all().map(({ id, shelf }) => id + shelf))).toEqual(['xb']);
    stop();
  });

  it('shows the alternative that the app chose in place of the guess', async () => {
    for (const id of ['o1', 'o2']) space.mutate.put(item(id, 'full'));
    const collection = items();
    const { seen, rows, stop } = watched(collection);
    await collection.insert(item('x', 'full')).isPersisted.promise;
    expect(rows()).toEqual(['o1@full', 'o2@full', 'x@spare']);
    expect(seen.every((at) => at.filter((row) => row.startsWith('x')).length <= 1)).toBe(true);
    stop();
  });

  it('takes a guess back that the app refuses, and says why', async () => {
    for (const id of ['o1', 'o2']) space.mutate.put(item(id, 'full'));
    const collection = items({ insert: (mutate, row) => mutate.place(place(row)) });
    const { rows, stop } = watched(collection);
    const transaction = collection.insert(item('x', 'full'));
    expect(rows()).toContain('x@full');
    expect(await code(transaction.isPersisted.promise)).toBe('update-rejected');
    expect(rows()).toEqual(['o1@full', 'o2@full']);
    expect(receiptsOf(transaction)[0]?.outcome).toMatchObject({ kind: 'rejected', code: 'full' });
    stop();
  });

  it('shows what the server makes of an update later, and the space tells', async () => {
    const there = await opened();
    there.goOnline();
    const other = await there.open('room');
    for (const id of ['o1', 'o2']) await other.mutate.place(place(item(id, 'full'))).until('committed');
    const collection = items({ insert: (mutate, row) => mutate.place(place(row)) });
    const { rows, stop } = watched(collection);
    const transaction = collection.insert(item('x', 'full'));
    await transaction.isPersisted.promise;
    expect(rows()).toEqual(['x@full']);
    replicas[0]?.goOnline();
    await receiptsOf(transaction)[0]?.until('committed');
    await vi.waitFor(() => expect(rows()).toEqual(['o1@full', 'o2@full']));
    expect(space.conflicts.map(({ outcome }) => outcome.kind)).toEqual(['rejected']);
    stop();
  });

  it('waits with the transaction for the server where that is asked for', async () => {
    const collection = items({ until: 'committed' });
    const { rows, stop } = watched(collection);
    const transaction = collection.insert(item('x'));
    await receiptsOf(transaction)[0]?.until('saved');
    expect(transaction.state).toBe('persisting');
    replicas[0]?.goOnline();
    await transaction.isPersisted.promise;
    expect(rows()).toEqual(['x@a']);
    expect(receiptsOf(transaction)[0]?.stage).toBe('committed');
    stop();
  });

  it('takes over what a mutation function of the app itself did', async () => {
    const collection = items();
    const { seen, stop } = watched(collection);
    const transaction = createTransaction({
      mutationFn: async () => {
        space.mutate.put(item('x', 'b'));
        collection.utils.takeOver();
      },
    });
    transaction.mutate(() => collection.insert(item('x')));
    await transaction.isPersisted.promise;
    expect(seen.map((rows) => rows.join()).filter((row) => row !== '')).toEqual(['x@a', 'x@b']);
    stop();
  });

  it('refuses what the app has no mutation for', () => {
    space.mutate.put(item('x'));
    const collection = createCollection(spaceCollection({
      space, query: (tx) => tx.item.all(), getKey: ({ id }) => id,
    }));
    collection.startSyncImmediate();
    expect(() => collection.delete('x')).toThrow(/onDelete/);
  });

  it('closes its live query when TanStack cleans it up', async () => {
    const live = vi.spyOn(space, 'live');
    const collection = items();
    collection.startSyncImmediate();
    const [opening] = live.mock.results;
    expect(opening?.value.get()).toEqual([]);
    await collection.cleanup();
    expect(() => opening?.value.get()).toThrow('closed');
  });
});

describe('a live query of TanStack over collections of a space', () => {
  it('joins and filters them, and follows', async () => {
    for (const [id, shelf] of [['x', 'a'], ['y', 'b'], ['z', 'a']] as const) space.mutate.put(item(id, shelf));
    const counters = createCollection(spaceCollection<Shelves, Counter, string>({
      space, query: (tx) => tx.counter.all(), getKey: ({ id }) => id,
      insert: (mutate, { id }) => mutate.bump({ id }),
    }));
    const all = items();
    const joined = createLiveQueryCollection((q) => q
      .from({ item: all })
      .join({ counter: counters }, ({ item, counter }) => eq(item.shelf, counter.id), 'inner')
      .where(({ counter }) => eq(counter.value, 1))
      .select(({ item, counter }) => ({ id: item.id, shelf: counter.id })));
    await joined.preload();
    const ids = () => joined.toArray.map(({ id }) => id).sort();
    expect(ids()).toEqual([]);
    await counters.insert({ id: 'a', value: 1 }).isPersisted.promise;
    expect(ids()).toEqual(['x', 'z']);
    await all.update('y', (draft) => { Object.assign(draft, { shelf: 'a' }); }).isPersisted.promise;
    expect(ids()).toEqual(['x', 'y', 'z']);
    await space.mutate.bump({ id: 'a' }).until('saved');
    expect(ids()).toEqual([]);
  });
});
