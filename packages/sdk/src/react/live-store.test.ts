/** A store that nobody listens to has nothing but a number to know by that it is out of date. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { openReplica } from '../host/open-replica.js';
import type { Replica } from '../host/replica.js';
import { TestServer } from '../host/testing/test-server.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { LiveStore } from './live-store.js';

let server: TestServer;
let replicas: Replica<typeof app>[];

const opened = async () => {
  const replica = await openReplica({
    app, dev: true, offline: true, storage: memory(),
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    onReport: (error) => { throw error; },
  });
  replicas.push(replica);
  return { replica, space: await replica.open('room') };
};

beforeEach(() => {
  server = new TestServer(app);
  replicas = [];
});
afterEach(() => Promise.all(replicas.map((replica) => replica.close())));

it('is current without a listener, through own writes, commits, rebases and a whole new base', async () => {
  const [ann, bob] = await Promise.all([opened(), opened()]);
  const query = (tx: Parameters<Parameters<typeof bob.space.query>[0]>[0]) =>
    tx.item.all().map(({ id, shelf }) => `${id}@${shelf}`);
  const views = (['tentative', 'committed'] as const)
    .map((view) => ({ view, store: new LiveStore({ space: bob.space, query, view }) }));
  const seen = new Set<string>();
  const check = (): void => {
    for (const { view, store } of views) {
      expect(store.get()).toEqual(bob.space.query(query, { view }));
      expect(store.get()).toBe(store.get());
      seen.add(`${view} ${store.get().join()}`);
    }
  };
  check();
  const place = (id: string) => ({ id, shelf: 'x', rank: 1, orElse: ['y'], insist: false });
  const moved = bob.space.mutate.place(place('b1'));
  check();
  ann.replica.goOnline();
  for (const id of ['a1', 'a2']) await ann.space.mutate.place(place(id)).until('committed');
  // Bob is so far behind that he gets the base as a whole, under what he has not sent yet.
  server.space('room').keptFrom = 1;
  bob.replica.goOnline();
  await moved.until('committed');
  check();
  await ann.space.mutate.remove({ id: 'a1' }).until('committed');
  await vi.waitFor(() => expect(bob.space.query((tx) => tx.item.has('a1'))).toBe(false));
  check();
  expect(seen).toContain('tentative b1@x');
  expect(seen).toContain('committed a2@x,b1@y');
});

it('is current without a listener where the base comes as a whole and nothing waits', async () => {
  const [ann, bob] = await Promise.all([opened(), opened()]);
  const query = (tx: Parameters<Parameters<typeof bob.space.query>[0]>[0]) => tx.item.all().length;
  const store = new LiveStore({ space: bob.space, query, view: 'committed' });
  expect(store.get()).toBe(0);
  ann.replica.goOnline();
  for (const id of ['a1', 'a2']) {
    await ann.space.mutate.put({ id, shelf: 'x', rank: 1 }).until('committed');
  }
  server.space('room').keptFrom = 2;
  bob.replica.goOnline();
  await vi.waitFor(() => expect(bob.space.query(query)).toBe(2));
  expect(store.get()).toBe(2);
});

it('runs its query once while nothing has changed', async () => {
  const { space } = await opened();
  const query = vi.fn(() => 1);
  const store = new LiveStore({ space, query, view: 'tentative' });
  for (let i = 0; i < 5; i++) store.get();
  expect(query).toHaveBeenCalledTimes(1);
  space.mutate.put({ id: 'x', shelf: 'a', rank: 1 });
  store.get();
  expect(query).toHaveBeenCalledTimes(2);
});
