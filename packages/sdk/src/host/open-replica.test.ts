import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { indexedDb } from '../drivers/storage-indexeddb.js';
import { memory } from '../drivers/storage-memory.js';
import type { Storage, Store } from '../drivers/storage.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { defineApp, mutation, table, unchecked } from '../model/index.js';
import { limits, OxbowError } from '../protocol/index.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { openReplica } from './open-replica.js';
import { Replica } from './replica.js';
import { TestServer } from './testing/test-server.js';
import { world } from './testing/world.js';

const place = (id: string, shelf: string, orElse: string[] = []) =>
  ({ id, shelf, rank: 1, orElse, insist: false });

function opening(server: TestServer, options: { storage?: Storage; offline?: boolean } = {}) {
  return openReplica({
    app, dev: true,
    storage: memory(),
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    onReport: () => undefined,
    ...options,
  });
}

const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof OxbowError ? error.code : String(error);
  }
};

describe('openReplica', () => {
  it('keeps pending updates over a reload and commits them once', async () => {
    const server = new TestServer(app);
    const before = await opening(server, { storage: indexedDb('reload'), offline: true });
    const room = await before.open('room');
    const receipt = room.mutate.put({ id: 'x', shelf: 'a', rank: 1 });
    expect(receipt.stage).toBe('local');
    await receipt.until('saved');
    await before.close();

    const after = await opening(server, { storage: indexedDb('reload'), offline: true });
    const again = await after.open('room');
    const [pending] = again.pending();
    expect(pending?.receipt?.stage).toBe('saved');
    expect(again.query((tx) => tx.item.get('x')?.shelf)).toBe('a');
    expect(after.id).toBe(before.id);
    after.goOnline();
    expect(await pending?.receipt?.until('committed')).toEqual({ kind: 'applied' });
    expect(server.space('room').primary.csn).toBe(1);
    await after.close();
  });

  it('resolves each receipt with what became of it: applied, moved, refused', async () => {
    const server = new TestServer(app);
    const [ann, bob] = await Promise.all([opening(server, { offline: true }), opening(server, { offline: true })]);
    const [atAnn, atBob] = await Promise.all([ann.open('room'), bob.open('room')]);
    const anns = [place('a1', 'x'), place('a2', 'x')].map((args) => atAnn.mutate.place(args));
    const moved = atBob.mutate.place(place('b1', 'x', ['y']));
    const refused = atBob.mutate.place(place('b2', 'x'));
    expect(moved.outcome).toEqual({ kind: 'applied' });
    ann.goOnline();
    for (const receipt of anns) expect(await receipt.until('committed')).toEqual({ kind: 'applied' });
    bob.goOnline();
    expect(await moved.until('committed')).toEqual({ kind: 'alternative', index: 0 });
    expect(await refused.until('committed')).toMatchObject({ kind: 'rejected', code: 'full' });
    expect(atBob.conflicts.map(({ name, outcome }) => `${name} ${outcome.kind}`))
      .toEqual(['place alternative', 'place rejected']);

    const [first, second] = atBob.conflicts;
    first?.accept();
    await second?.retry(place('b2', 'z')).until('committed');
    expect(atBob.conflicts).toEqual([]);
    await ann.session().waitFor(bob.session().token());
    const rows = (space: typeof atAnn) => space.query((tx) => tx.item.all(), { view: 'committed' });
    expect(rows(atAnn)).toEqual(rows(atBob));
    await Promise.all([ann.close(), bob.close()]);
  });

  it('calls a live query back when what it read has changed', async () => {
    const server = new TestServer(app);
    const replica = await opening(server);
    const room = await replica.open('room');
    const count = room.live((tx) => tx.item.all().length);
    const seen: number[] = [];
    count.subscribe(() => seen.push(count.get()));
    await room.mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
    expect(seen).toEqual([1]);
    await replica.close();
  });

  it('tells what the guarantees of a session lack when they cannot be had in time', async () => {
    const server = new TestServer(app);
    const [ann, bob] = await Promise.all([opening(server, { offline: true }), opening(server)]);
    (await ann.open('room')).mutate.put({ id: 'x', shelf: 'a', rank: 1 });
    const token = ann.session().token();
    expect(await code(bob.session().waitFor(token, { timeoutMs: 30 }))).toBe('session-behind');
    expect(await code(bob.session().waitFor('nonsense'))).toBe('bad-session-token');
    ann.goOnline();
    await bob.session().waitFor(token);
    expect((await bob.open('room')).query((tx) => tx.item.has('x'))).toBe(true);
    await Promise.all([ann.close(), bob.close()]);
  });

  it('tells in development, and only there, of a mutation that throws dice of its own', async () => {
    const dice = defineApp({
      name: 'dice', version: 1, tables: { roll: table<{ id: string }>()({ key: 'id' }) },
      mutations: {
        roll: mutation({
          args: unchecked<null>(), apply: (tx) => tx.roll.put({ id: `${Math.random()}` }),
        }),
      },
    });
    for (const dev of [true, false]) {
      const reports: string[] = [];
      const replica = await openReplica({
        app: dice, dev, storage: memory(), onReport: (error) => reports.push(error.code),
      });
      const room = await replica.open('room');
      room.mutate.roll(null);
      expect(reports).toEqual(dev ? ['mutation-not-deterministic'] : []);
      await replica.close();
    }
  });

  it('carries a space by file to a replica that no network reaches, twice without harm', async () => {
    const server = new TestServer(app);
    const [ann, bob] = await Promise.all([opening(server), opening(server, { offline: true })]);
    const [atAnn, atBob] = await Promise.all([ann.open('room'), bob.open('room')]);
    await atAnn.mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
    ann.goOffline();
    await atAnn.mutate.put({ id: 'y', shelf: 'a', rank: 1 }).until('saved');
    const bundle = await atAnn.exportBundle();
    await atBob.importBundle(bundle);
    await atBob.importBundle(bundle);
    const ids = (view: 'tentative' | 'committed') =>
      atBob.query((tx) => tx.item.all().map(({ id }) => id), { view });
    expect([ids('committed'), ids('tentative')]).toEqual([['x'], ['x', 'y']]);
    const other = await bob.open('other');
    expect(await code(other.importBundle(bundle))).toBe('bundle-other-space');
    expect(await code(atBob.importBundle(Uint8Array.of(0xff)))).toBe('bad-bundle');
    await Promise.all([ann.close(), bob.close()]);
  });

  it('shows disk, links and progress, and says when they change', async () => {
    const server = new TestServer(app);
    const replica = await opening(server, { offline: true });
    const room = await replica.open('room');
    const { health } = room;
    expect(health.storage).toMatchObject({ kind: 'memory', status: 'ok' });
    expect([health.online, health.pending, health.stalled]).toEqual([false, 0, undefined]);
    const receipt = room.mutate.put({ id: 'x', shelf: 'a', rank: 1 });
    expect(health.pending).toBe(1);
    expect(health.oldestPendingMs).toBeGreaterThanOrEqual(0);
    expect(health.stalled?.code).toBe('offline');
    let changes = 0;
    health.subscribe(() => { changes++; });
    replica.goOnline();
    await receipt.until('committed');
    expect([health.online, health.csn, health.behind, health.pending]).toEqual([true, 1, 0, 0]);
    expect(changes).toBeGreaterThan(0);
    await replica.close();
  });

  it('goes on in memory where there is no store, and shows it; or refuses, if told to', async () => {
    const server = new TestServer(app);
    const none: Storage = {
      open: (done) => queueMicrotask(() =>
        done({ ok: false, error: new OxbowError('store-unavailable', 'As told.') })),
    };
    const replica = await opening(server, { storage: none });
    expect(replica.health.storage).toMatchObject({ kind: 'memory', status: 'memory', code: 'store-unavailable' });
    await (await replica.open('room')).mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
    await replica.close();
    const strict = openReplica({ app, storage: none, fallbackToMemory: false });
    expect(await code(strict)).toBe('store-unavailable');
  });

  it('goes on in memory when its store is taken away, and shows it', async () => {
    const server = new TestServer(app);
    let taken: Store | undefined;
    const storage: Storage = {
      open: (done) => memory().open((opened) => {
        if (opened.ok) taken = opened.value;
        done(opened);
      }),
    };
    const replica = await opening(server, { storage });
    const room = await replica.open('room');
    await room.mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
    taken?.close(() => undefined);
    taken?.onLost?.(new OxbowError('store-lost', 'As told.'));
    await room.mutate.put({ id: 'y', shelf: 'a', rank: 1 }).until('committed');
    expect(replica.health.storage).toMatchObject({ status: 'memory', code: 'store-lost' });
    expect((await replica.open('other')).query((tx) => tx.item.all())).toEqual([]);
    await replica.close();
  });

  it('lets go of a store that it left when it is closed, and not before', async () => {
    const storage = memory();
    let taken: Store | undefined;
    const replica = await opening(new TestServer(app), {
      storage: {
        open: (done) => storage.open((opened) => {
          if (opened.ok) taken = opened.value;
          done(opened);
        }),
      },
    });
    taken?.onLost?.(new OxbowError('store-failed', 'As told.'));
    await (await replica.open('room')).mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
    // Until then somebody else would write on under the ids that are given out here.
    expect(await code(opening(new TestServer(app), { storage }))).toBe('store-in-use');
    await replica.close();
    await (await opening(new TestServer(app), { storage })).close();
  });

  it('refuses everything after its end, waits included', async () => {
    const server = new TestServer(app);
    const replica = await opening(server, { offline: true });
    const room = await replica.open('room');
    const receipt = room.mutate.put({ id: 'x', shelf: 'a', rank: 1 });
    const waiting = code(receipt.until('committed'));
    await replica.close();
    await replica.close();
    expect(await waiting).toBe('replica-closed');
    expect(await code(replica.open('room'))).toBe('replica-closed');
    expect(() => room.mutate.put({ id: 'y', shelf: 'a', rank: 1 })).toThrow(/closed/);
    expect(await receipt.until('saved')).toEqual({ kind: 'applied' });
  });

  it('keeps its word to who waits for the save that closing makes', async () => {
    const server = new TestServer(app);
    const storage = indexedDb('closing');
    const replica = await opening(server, { storage, offline: true });
    const room = await replica.open('room');
    const receipt = room.mutate.put({ id: 'x', shelf: 'a', rank: 1 });
    const saved = receipt.until('saved');
    const shared = code(receipt.until('shared'));
    const closed = replica.close();
    const alsoSaved = receipt.until('saved');
    expect(await Promise.all([saved, alsoSaved, shared, closed]))
      .toEqual([{ kind: 'applied' }, { kind: 'applied' }, 'replica-closed', undefined]);
    const again = await opening(server, { storage, offline: true });
    expect((await again.open('room')).query((tx) => tx.item.has('x'))).toBe(true);
    await again.close();
  });

  it('does not say saved of what closing could not save', async () => {
    const { clock, start } = world();
    const { host, storage } = start(undefined, { offline: true });
    const replica = new Replica({ app, host, clock, onClose: () => undefined });
    const opened = replica.open('room');
    clock.settle();
    const room = await opened;
    storage.failing = 'store-full';
    const saved = code(room.mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('saved'));
    const closed = code(replica.close());
    clock.pass(limits.closeTimeoutMs);
    expect([await closed, await saved]).toEqual(['close-unsaved', 'replica-closed']);
  });

  it('refuses names that cannot be spaces', async () => {
    const replica = await opening(new TestServer(app), { offline: true });
    expect(await code(replica.open('with blank'))).toBe('bad-space');
    expect(await replica.open('room')).toBe(await replica.open('room'));
    await replica.close();
  });
});
